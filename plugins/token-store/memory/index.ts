import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { REFUSED_RETENTION } from '../../../contracts/token-store/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { MemoryAccountLinks } from './account-links.js'
import { MemoryApiKeys } from './api-keys.js'
import { MemoryAudit } from './audit.js'
import { COUNT_RETENTION } from '../../../lib/counts/count-table.js'
import { MemoryCounts } from '../../../lib/counts/memory-counts.js'
import { MemoryClaims } from './claims.js'
import { MemoryFactors } from './factors.js'
import { MemoryGuestTokens } from './guest-tokens.js'
import { MemoryIdentities } from './identities.js'
import { MemoryIdentityProviders } from './identity-providers.js'
import { MemoryInvitations } from './invitations.js'
import { MemoryMembers } from './members.js'
import { MemoryOrganisations } from './organisations.js'
import { PipelineKeys } from './pipeline-keys.js'
import { MemoryRefusedEvents } from './refused-events.js'
import { MemoryRevocations } from './revocations.js'
import { MemoryScim } from './scim.js'
import { MemorySessions } from './sessions.js'
import { MemorySourceKeys } from './source-keys.js'
import { MemorySources } from './sources.js'
import { MemorySsoDomains } from './sso-domains.js'
import { MemorySsoLogins } from './sso-logins.js'
import { MemoryUsers } from './users.js'
import { MemoryWebhooks } from './webhooks.js'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
  /** Maximum number of claims; a full store rejects `claim` with `UNAVAILABLE`. Default: 100 000. */
  maxClaims?: number
}

const KNOWN: KnownOptions<MemoryStoreOptions> = { now: true, maxClaims: true }
const memoryStores = new WeakSet<object>()

/** Whether a store was created by `memoryStore`. */
export function isMemoryStore (store: TokenStore): boolean {
  return memoryStores.has(store)
}

/**
 * Creates a token store in memory, for tests and experiments. Its data is lost when the process ends and is not visible
 * to other processes. Throws `INVALID_OPTIONS` for an unknown option.
 *
 * @example
 * app.register(tokenStore, { store: memoryStore() })
 */
export function memoryStore (options: MemoryStoreOptions = {}): TokenStore {
  refuseUnknownMembers('memoryStore', '', options, KNOWN)
  const { now = Date.now, maxClaims = 100_000 } = options
  const guestTokens = new MemoryGuestTokens(now)
  const pipelineKeys = new PipelineKeys(now)
  const sources = new MemorySources(now, pipelineKeys, (id) => {
    webhooks.sourceChanged(id)
    refusedEvents.sourceChanged(id)
  })
  const sourceKeys = new MemorySourceKeys(now, pipelineKeys, {
    find: (id) => sources.find(id),
    keyChanged: (id, rotated) => sources.keyChanged(id, rotated)
  })
  const refusedEvents = new MemoryRefusedEvents(now, (id) => sources.find(id))
  const webhooks = new MemoryWebhooks(now, (id) => sources.find(id))
  const organisations = new MemoryOrganisations(now)
  const members: MemoryMembers = new MemoryMembers({
    now,
    emailOf: (userId) => users.peek(userId)?.email ?? null,
    orgNameOf: (orgId) => organisations.nameOf(orgId),
    endSessions: (userId, orgId) => sessions.drop((session) => session.userId === userId && session.orgId === orgId),
    ensureUser: (email) => users.ensure(email),
    maxUsersOf: (orgId) => organisations.maxUsersOf(orgId),
    memberRemoved: (userId, orgId) => scim.memberRemoved(orgId, userId),
    deleteUser (userId) {
      users.delete(userId)
      factors.delete(userId)
      identities.drop((identity) => identity.userId === userId)
    }
  })
  const users: MemoryUsers = new MemoryUsers({
    now,
    addMember (member) {
      organisations.ensure(member.orgId)
      return members.insert(member)
    },
    findMember: (userId, orgId) => members.find(userId, orgId),
    endSessions: (userId, except) => sessions.drop((session) => session.userId === userId && session.id !== except)
  })
  const requiresFactor = (orgId: string) => organisations.find(orgId)?.mfa === 'required'
  const factors = new MemoryFactors({
    now,
    isUser: (userId) => users.peek(userId) !== undefined,
    isRequired: (userId) => members.organisationsOf(userId).some(requiresFactor),
    forgetProviderFactor: (userId) => sessions.forgetProviderFactor(userId)
  })
  const sessions: MemorySessions = new MemorySessions(now, {
    peek: (userId) => users.peek(userId),
    member: (userId, orgId) => members.find(userId, orgId),
    revoke: (userId) => users.revoke(userId),
    hasFactor: (userId) => factors.has(userId),
    requiresFactor
  })
  const invitations = new MemoryInvitations({ now, organisations, users, members })
  const accountLinks = new MemoryAccountLinks(now, users)
  const apiKeys = new MemoryApiKeys(now)
  const identities: MemoryIdentities = new MemoryIdentities({
    now,
    isUser: (userId) => users.peek(userId) !== undefined,
    endSessions: (userId, providerId) =>
      sessions.drop((session) => session.userId === userId && session.sso?.providerId === providerId)
  })
  const identityProviders = new MemoryIdentityProviders(now, function endProvider (id) {
    identities.drop(({ providerId }) => providerId === id)
    sessions.drop(({ sso }) => sso?.providerId === id)
  })
  const ssoDomains = new MemorySsoDomains(now)
  const ssoLogins = new MemorySsoLogins(now)
  const scim = new MemoryScim({
    now,
    isOrganisation: (orgId) => organisations.nameOf(orgId) !== null,
    findMember: (userId, orgId) => members.find(userId, orgId),
    emailOf: (userId) => users.peek(userId)?.email ?? null
  })
  const audit = new MemoryAudit()
  const counts = new MemoryCounts()
  const revocations = new MemoryRevocations(now)
  const claims = new MemoryClaims(now, maxClaims)

  const store: TokenStore = {
    guestTokens,
    sources,
    sourceKeys,
    webhooks,
    organisations,
    users,
    members,
    invitations,
    accountLinks,
    sessions,
    factors,
    apiKeys,
    identityProviders,
    identities,
    ssoDomains,
    ssoLogins,
    scim,
    audit,
    refusedEvents,
    counts,
    revocations,
    claim: (key, ttl) => claims.claim(key, ttl),
    async sweep ({ auditRetention, refusedRetention = REFUSED_RETENTION, countRetention = COUNT_RETENTION }) {
      const parts = [guestTokens, sources, sourceKeys, webhooks, users, invitations, accountLinks, sessions, apiKeys,
        ssoLogins, claims]
      for (const part of parts) part.sweep()
      audit.sweep(now() - auditRetention)
      refusedEvents.sweep(now() - refusedRetention)
      await counts.expire(now() - countRetention)
    },
    ready: async () => {},
    close: async () => {}
  }
  memoryStores.add(store)
  return store
}
