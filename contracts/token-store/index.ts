import type { ReadPools } from '../backend-load.js'
import type { AccountLinks } from './account-links.js'
import type { ApiKeys } from './api-keys.js'
import type { AuditTrail } from './audit.js'
import type { Counts } from '../counts.js'
import type { Factors } from './factors.js'
import type { GuestTokens } from './guest-tokens.js'
import type { Identities } from './identities.js'
import type { IdentityProviders } from './identity-providers.js'
import type { Invitations } from './invitations.js'
import type { Members } from './members.js'
import type { Organisations } from './organisations.js'
import type { RefusedEvents } from './refused-events.js'
import type { Revocations } from './revocations.js'
import type { Scim } from './scim.js'
import type { Sessions } from './sessions.js'
import type { SharedLimits } from './shared-limits.js'
import type { SourceKeys } from './source-keys.js'
import type { Sources } from './sources.js'
import type { SsoDomains } from './sso-domains.js'
import type { SsoLogins } from './sso-logins.js'
import type { Users } from './users.js'
import type { Webhooks } from './webhooks.js'

export type * from '../backend-load.js'
export type * from './account-links.js'
export type * from './api-keys.js'
export type * from './audit.js'
export type * from '../counts.js'
export type * from './factors.js'
export type * from './guest-tokens.js'
export type * from './identities.js'
export type * from './identity-providers.js'
export type * from './invitations.js'
export type * from './members.js'
export type * from './organisations.js'
export type * from '../page.js'
export * from './refused-events.js'
export type * from './revocations.js'
export type * from './scim.js'
export type * from './sessions.js'
export type * from './shared-limits.js'
export type * from './source-keys.js'
export type * from './source-origins.js'
export type * from './sources.js'
export type * from './sso-domains.js'
export type * from './sso-logins.js'
export * from './users.js'
export type * from './webhooks.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Stores the state of the plugins. Every method rejects with `UNAVAILABLE` while the backend is unavailable. */
    tokenStore: TokenStore
  }
}

/** Number of look-ups of one kind since the store was created, by the place that had the answer. */
export interface LookupCounts {
  /** Cached in this process, or joined to a look-up in flight. */
  readonly process: number
  /** Cached in Redis. */
  readonly shared: number
  /** Read from the database. */
  readonly database: number
}

/** The kinds of cached look-ups. */
export type LookupKind = 'source' | 'origins' | 'webhook' | 'session' | 'api_key' | 'guest_token' | 'revocation'

/** Counters of a store since its creation, for metrics. */
export interface StoreLoad {
  readonly lookups: Readonly<Record<LookupKind, LookupCounts>>
  /** The pools of the store's database. */
  readonly pools?: ReadPools | undefined
}

/**
 * Stores the state of the plugins. Methods are atomic. A method that finds nothing resolves with `null`; a backend
 * error rejects with `UNAVAILABLE`. Every implementation passes the same conformance suite.
 */
export interface TokenStore {
  readonly guestTokens: GuestTokens
  readonly sources: Sources
  readonly sourceKeys: SourceKeys
  readonly webhooks: Webhooks
  readonly organisations: Organisations
  readonly users: Users
  readonly members: Members
  readonly invitations: Invitations
  readonly accountLinks: AccountLinks
  readonly sessions: Sessions
  readonly factors: Factors
  readonly apiKeys: ApiKeys
  readonly identityProviders: IdentityProviders
  readonly identities: Identities
  readonly ssoDomains: SsoDomains
  readonly ssoLogins: SsoLogins
  readonly scim: Scim
  readonly audit: AuditTrail
  readonly refusedEvents: RefusedEvents
  readonly counts: Counts
  readonly revocations: Revocations
  /** Limits that all instances count together. A store without it leaves each process to count by itself. */
  readonly sharedLimits?: SharedLimits
  /** Counters for metrics. A store that wraps another store passes them on. */
  readonly load?: StoreLoad
  /**
   * Resolves with `true` for the first call with a key, and with `false` until `ttl` milliseconds have passed. Never
   * evicts a live key: a full store rejects with `UNAVAILABLE`.
   */
  claim (key: string, ttl: number): Promise<boolean>
  /**
   * Deletes expired data, audit entries older than `auditRetention` milliseconds, refused events older than
   * `refusedRetention` milliseconds (default: 7 days), and counts of hours that ended more than `countRetention`
   * milliseconds ago (default: 400 days).
   */
  sweep (
    limits: { auditRetention: number, refusedRetention?: number | undefined, countRetention?: number | undefined }
  ): Promise<void>
  /** Resolves when the backend responds. */
  ready (): Promise<void>
  /** Releases what the store opened itself; a client that was passed in stays open. */
  close (): Promise<void>
}
