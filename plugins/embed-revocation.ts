import type { FastifyInstance } from 'fastify'

import { canonicalDashboard } from '../signing/boldbi/dashboard-name.js'
import { earliestIssue } from '../signing/issue-time.js'
import { FORBIDDEN } from '../lib/errors.js'
import type { SignedUser } from '../lib/signed-users.js'
import type { RevocationSubject } from '../contracts/token-store/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../contracts/token-store/index.js'

/** The user, tenant and dashboards of an embed. */
export interface EmbedSubjects {
  /** Id of the user, as administrators revoke it. */
  user?: string | null | undefined
  tenant?: string | null | undefined
  /** Ids or paths of the dashboards, in any spelling. */
  dashboards?: readonly string[] | undefined
}

/**
 * Returns the rate-limit key of a user. It contains the tenant, because two tenants may have users of the same name.
 */
export function rateKeyOf ({ user, tenant = null }: EmbedSubjects): string {
  return JSON.stringify([tenant, user])
}

/**
 * Throws `FORBIDDEN` if a user, tenant or dashboard was revoked after `issuedAt`, the time in epoch milliseconds at
 * which the user reference or the session of the request was issued; without both, pass the current time. A time in the
 * future comes from a fast clock and counts as before a revocation of now. Throws synchronously if this process has all
 * revocations in memory, otherwise rejects; rejects with `UNAVAILABLE` if the store fails. Needs `app.tokenStore`; the
 * admin API is optional.
 *
 * @example
 * await refuseRevoked(app, { user: session.userId, tenant: session.company }, session.startedAt)
 */
export function refuseRevoked (
  app: FastifyInstance,
  { user, tenant, dashboards }: EmbedSubjects,
  issuedAt: number
): void | Promise<void> {
  return refuseRevokedGrant(app, {
    subjects: subjectsOf([user], tenant, dashboards),
    issuedAt: earliestIssue(issuedAt, Date.now())
  })
}

/** The names and the time in the result of the host's `authorize`. */
export interface HostGrant {
  /** All names of the user. */
  users: ReadonlyArray<string | undefined>
  tenant?: string | null | undefined
  dashboards?: readonly string[] | undefined
  /**
   * Start of the user's session, in epoch milliseconds. Default: the time at which the user reference or the identity
   * token was issued, else the current time.
   */
  issuedAt?: number | undefined
}

/** The names by which a grant can be revoked, and its time. */
export interface RevocableGrant {
  readonly subjects: readonly RevocationSubject[]
  /** The time of the grant, in epoch milliseconds. */
  readonly issuedAt: number
}

/**
 * Returns the names by which a grant can be revoked, for all embedding routes. The user can be revoked by the names
 * that the host returns and by the subjects of the request's credentials.
 */
export function revocableGrant (
  credentials: readonly SignedUser[],
  { users, tenant, dashboards, issuedAt }: HostGrant,
  now: number
): RevocableGrant {
  return {
    subjects: subjectsOf(namesOf(users, credentials), tenant, dashboards),
    // The guards have already limited `iat` to the current time.
    issuedAt: issuedAt === undefined ? earliestOf(credentials) ?? now : earliestIssue(issuedAt, now)
  }
}

/** Refuses a revoked grant like `refuseRevoked`, with one look-up for all its subjects. */
export function refuseRevokedGrant (
  app: FastifyInstance,
  { subjects, issuedAt }: RevocableGrant
): void | Promise<void> {
  if (subjects.length === 0) return
  // A host may have replaced the auditLog plugin by its own `audit` decorator.
  const orgId = app.hasDecorator('auditOrg') ? app.auditOrg : 'default'
  const cutoffs = app.tokenStore.revocations.cutoffs(orgId, subjects)
  return 'then' in cutoffs ? cutoffs.then(decide) : decide(cutoffs)

  function decide (cutoffs: readonly number[]): void {
    for (const [at, { kind }] of subjects.entries()) {
      const cutoff = cutoffs[at] ?? Infinity
      // Negated, so that NaN is refused.
      if (cutoff !== 0 && !(issuedAt >= cutoff)) throw new FORBIDDEN({ reason: `the ${kind} was revoked` })
    }
  }
}

function namesOf (users: HostGrant['users'], credentials: readonly SignedUser[]): HostGrant['users'] {
  return credentials.length === 0 ? users : [...users, ...credentials.map(({ sub }) => sub)]
}

/** Returns when the first of the credentials was issued, or `undefined` without a time. */
function earliestOf (credentials: readonly SignedUser[]): number | undefined {
  let earliest: number | undefined
  for (const { iat } of credentials) if (iat !== undefined) earliest = Math.min(iat, earliest ?? iat)
  return earliest
}

function subjectsOf (
  users: ReadonlyArray<string | null | undefined>,
  tenant: string | null | undefined,
  dashboards: readonly string[] = []
): RevocationSubject[] {
  const subjects: RevocationSubject[] = []
  for (const [at, user] of users.entries()) {
    if (typeof user === 'string' && users.indexOf(user) === at) subjects.push({ kind: 'user', subject: user })
  }
  if (typeof tenant === 'string') subjects.push({ kind: 'tenant', subject: tenant })
  if (dashboards.length === 0) return subjects
  // The page may use any spelling that the product accepts. The admin API stores revocations in canonical spelling, but
  // a host may store them in any.
  const names = new Set(dashboards.flatMap((dashboard) => [dashboard, canonicalDashboard(dashboard) || dashboard]))
  for (const name of names) subjects.push({ kind: 'dashboard', subject: name })
  return subjects
}
export type { RevocationKind, RevocationSubject } from '../contracts/token-store/index.js'
export type { SignedUser } from '../lib/signed-users.js'
