import type { AuditTrail } from './audit.js'
import type { GuestTokens } from './guest-tokens.js'
import type { Revocations } from './revocations.js'
import type { Sessions } from './sessions.js'
import type { SharedLimits } from './shared-limits.js'
import type { Sources } from './sources.js'
import type { Users } from './users.js'
import type { Webhooks } from './webhooks.js'

export type * from './audit.js'
export type * from './guest-tokens.js'
export type * from '../page.js'
export type * from './revocations.js'
export type * from './sessions.js'
export type * from './shared-limits.js'
export type * from './sources.js'
export * from './users.js'
export type * from './webhooks.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The store of the suite; every method rejects with `UNAVAILABLE` if the backend does not answer. */
    tokenStore: TokenStore
  }
}

/**
 * Where the suite keeps what it must remember. Verbs are atomic; a miss is `null`; only a broken backend rejects, with
 * `UNAVAILABLE`. Every implementation passes the same conformance suite.
 */
export interface TokenStore {
  readonly guestTokens: GuestTokens
  readonly sources: Sources
  readonly webhooks: Webhooks
  readonly users: Users
  readonly sessions: Sessions
  readonly audit: AuditTrail
  readonly revocations: Revocations
  /** Left out by a store that instances don't share, or that would be slow at it: each process counts for itself then. */
  readonly sharedLimits?: SharedLimits
  /** Resolves `true` once per key until `ttl` milliseconds have passed. Never evicts to make room: at capacity it rejects with `UNAVAILABLE`. */
  claim (key: string, ttl: number): Promise<boolean>
  /** Removes what has expired; audit entries older than `auditRetention` milliseconds too. */
  sweep (limits: { auditRetention: number }): Promise<void>
  /** Resolves when the backend answers. */
  ready (): Promise<void>
  /** Releases what the store opened itself; a client that was handed in stays open. */
  close (): Promise<void>
}
