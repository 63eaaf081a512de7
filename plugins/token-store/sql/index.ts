import { secretBox } from '../../../signing/secret-box.js'
import { assertStrongSecret } from '../../../signing/secret-strength/index.js'
import { COUNT_RETENTION } from '../../../lib/counts/count-table.js'
import type { Database } from '../../../lib/database/open-database.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RedisLink } from '../../../lib/redis/link.js'
import { sharedLimits } from '../../../lib/redis/shared-limits.js'
import { MAX_AGE } from '../../../lib/lookup-cache.js'
import { Changes } from '../redis/changes.js'
import { SharedCache } from '../redis/shared-cache.js'
import { REFUSED_RETENTION } from '../../../contracts/token-store/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { sqlAccountLinks } from './account-links.js'
import { loadApiKey, sqlApiKeys } from './api-keys.js'
import { sqlAudit } from './audit.js'
import { Caches } from './caches.js'
import { sqlClaims } from './claims.js'
import { sqlCountSweeper, sqlCounts } from './counts.js'
import { guardBackend } from './guard-backend.js'
import { sqlFactors } from './factors.js'
import { loadGuestToken, sqlGuestTokens } from './guest-tokens.js'
import { loadCutoffs } from './load-cutoffs.js'
import { sqlIdentities } from './identities.js'
import { sqlIdentityProviders } from './identity-providers.js'
import { sqlInvitations } from './invitations.js'
import { inTurn } from './in-turn.js'
import { sqlRefusedEvents } from './refused-events.js'
import { sqlRevocations } from './revocations.js'
import { sqlMembers } from './members.js'
import { sqlOrganisations } from './organisations.js'
import { sqlScim } from './scim.js'
import { loadAccess, sqlSessions } from './sessions.js'
import { sqlSourceKeys } from './source-keys.js'
import { loadSource, originsLoader } from './source-lookup.js'
import { sqlSources } from './sources.js'
import { sqlSsoDomains } from './sso-domains.js'
import { sqlSsoLogins } from './sso-logins.js'
import { sqlUsers } from './users.js'
import { loadWebhook } from './webhook-rows.js'
import { sqlWebhooks } from './webhooks.js'

const KNOWN: KnownOptions<SqlStoreOptions> = { secretsKeys: true, cacheTtl: true, redis: true, now: true }

/** A change on another instance takes effect within a second, including the look-up that finds it. */
const POSTGRES_TTL = 800

/** Options of `sqlStore`. */
export interface SqlStoreOptions {
  /**
   * `[current, …previous]`, each at least 32 bytes. The first encrypts server secrets and guest tokens, all decrypt.
   */
  secretsKeys: readonly string[]
  /**
   * How long this process caches look-ups, milliseconds, at most 5 000. Its own changes take effect at once. Default:
   * 800 on PostgreSQL, which other instances may change; 5 000 on the embedded database, which none can.
   */
  cacheTtl?: number
  /**
   * Redis, shared by all instances: caches look-ups for up to 4 s, publishes changes, and counts rate limits. While it
   * is unavailable only the database is used. Default: none.
   */
  redis?: RedisLink
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/**
 * Creates a token store on PGlite or PostgreSQL. The database belongs to the caller and stays open when the store
 * closes.
 *
 * @throws `INVALID_OPTIONS` for an unknown or invalid option
 *
 * @example
 * const database = await openDatabase({ url: 'postgres://app@localhost/app' })
 * app.register(tokenStore, { store: sqlStore(database, { secretsKeys: [process.env.SECRETS_KEY] }) })
 */
export function sqlStore (database: Database, options: SqlStoreOptions): TokenStore {
  refuseUnknownMembers('sqlStore', '', options, KNOWN)
  const { secretsKeys, cacheTtl, redis, now: clock } = options
  const box = secretBox(checkedKeys(secretsKeys))
  const ttl = cacheTtl ?? (database.kind === 'pglite' ? MAX_AGE : POSTGRES_TTL)
  if (!(ttl >= 0 && ttl <= MAX_AGE)) {
    throw new INVALID_OPTIONS(`sql-store: "cacheTtl" must be 0 to ${MAX_AGE} milliseconds`)
  }

  const { db, patient, lists } = database
  const now = clock ?? Date.now
  const loadOrigins = originsLoader(db)
  const caches = new Caches(
    {
      source: (pipelineKey) => loadSource(db, box, pipelineKey, now()),
      origins: () => loadOrigins(now()),
      webhook: (id) => loadWebhook(db, box, id, now()),
      access: (sessionId) => loadAccess(db, sessionId, now()),
      apiKey: (digest) => loadApiKey(db, digest, now()),
      guestToken: (key) => loadGuestToken(db, box, key, now()),
      cutoffs: (keys) => loadCutoffs(db, keys)
    },
    { ttl, now: clock },
    redis === undefined ? undefined : { cache: new SharedCache(redis, box, now), changes: new Changes(redis) }
  )

  const guestTokens = guardBackend(sqlGuestTokens(db, box, caches, now))
  const sources = guardBackend(sqlSources(db, lists, box, caches, now))
  const sourceKeys = guardBackend(sqlSourceKeys(db, caches, now))
  const webhooks = guardBackend(sqlWebhooks(db, lists, box, caches, now))
  const organisations = guardBackend(sqlOrganisations(db, lists, caches, now))
  const users = guardBackend(sqlUsers(db, caches, now))
  const members = guardBackend(sqlMembers(db, lists, caches, now))
  const invitations = guardBackend(sqlInvitations(db, lists, now))
  const accountLinks = guardBackend(sqlAccountLinks(db, caches, now))
  const sessions = guardBackend(sqlSessions(db, caches, now))
  const factors = guardBackend(sqlFactors(db, box, caches, now))
  const apiKeys = guardBackend(sqlApiKeys(db, lists, caches, now))
  const identityProviders = guardBackend(sqlIdentityProviders(db, lists, box, caches, now))
  const identities = guardBackend(sqlIdentities(db, caches, now))
  const ssoDomains = guardBackend(sqlSsoDomains(db, lists, now))
  const ssoLogins = guardBackend(sqlSsoLogins(db, now))
  const scim = guardBackend(sqlScim(db, lists, now))
  const audit = guardBackend(sqlAudit(db, lists))
  const refusedEvents = guardBackend(sqlRefusedEvents(db, lists, now))
  const counts = guardBackend(sqlCounts(database))
  const revocations = guardBackend(sqlRevocations(db, lists, caches, now))
  const claims = guardBackend(sqlClaims(db, now))
  const { ready } = guardBackend({ ready: () => database.ready() })
  // No request waits for a sweep, so it uses the connections without a time limit.
  const sweepers = [
    sqlGuestTokens(patient, box, caches, now),
    sqlSources(patient, lists, box, caches, now),
    sqlSourceKeys(patient, caches, now),
    sqlWebhooks(patient, lists, box, caches, now),
    sqlUsers(patient, caches, now),
    sqlInvitations(patient, lists, now),
    sqlAccountLinks(patient, caches, now),
    sqlSessions(patient, caches, now),
    sqlFactors(patient, box, caches, now),
    sqlApiKeys(patient, lists, caches, now),
    sqlIdentityProviders(patient, lists, box, caches, now),
    sqlSsoLogins(patient, now),
    sqlClaims(patient, now)
  ].map((part) => guardBackend<{ sweep(): Promise<void> }>(part))
  const auditSweeper = guardBackend(sqlAudit(patient, lists))
  const refusedSweeper = guardBackend(sqlRefusedEvents(patient, lists, now))
  const countSweeper = guardBackend(sqlCountSweeper(database))

  return {
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
    claim: claims.claim,
    async sweep ({ auditRetention, refusedRetention = REFUSED_RETENTION, countRetention = COUNT_RETENTION }) {
      await inTurn([
        ...sweepers.map((part) => () => part.sweep()),
        () => auditSweeper.sweep(now() - auditRetention),
        () => refusedSweeper.sweep(now() - refusedRetention),
        () => countSweeper.sweep(now() - countRetention)
      ])
    },
    ready,
    ...(redis === undefined ? {} : { sharedLimits: sharedLimits(redis) }),
    load: { lookups: caches.lookups, pools: database.pools },
    close: () => caches.close()
  }
}

function checkedKeys (keys: readonly string[]): readonly string[] {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new INVALID_OPTIONS(
      'sql-store: "secretsKeys" is empty; create a key with `npx fastify-gatehouse generate-key`'
    )
  }
  for (const [at, key] of keys.entries()) {
    try {
      assertStrongSecret(`secretsKeys[${at}]`, key)
    } catch (error) {
      throw new INVALID_OPTIONS(`sql-store: ${error instanceof Error ? error.message : 'a key is not usable'}`)
    }
  }
  return keys
}
export type { Database, Durability } from '../../../lib/database/open-database.js'
export type { RedisLink } from '../../../lib/redis/index.js'
