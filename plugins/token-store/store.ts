import type { AuditTrail } from './parts/audit.js'
import type { GuestTokens } from './parts/guest-tokens.js'
import type { Revocations } from './parts/revocations.js'
import type { Sessions } from './parts/sessions.js'
import type { SharedLimits } from './parts/shared-limits.js'
import type { Sources } from './parts/sources.js'
import type { Users } from './parts/users.js'
import type { Webhooks } from './parts/webhooks.js'

export type * from './parts/audit.js'
export type * from './parts/guest-tokens.js'
export type * from './parts/page.js'
export type * from './parts/revocations.js'
export type * from './parts/sessions.js'
export type * from './parts/shared-limits.js'
export type * from './parts/sources.js'
export * from './parts/users.js'
export type * from './parts/webhooks.js'

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
