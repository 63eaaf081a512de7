import type { FastifyInstance } from 'fastify'

import { canonicalDashboard } from '../signing/boldbi/dashboard-name.js'
import { earliestIssue } from '../signing/issue-time.js'
import { FORBIDDEN } from '../lib/errors.js'
import type { RevocationSubject } from '../contracts/token-store/index.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../contracts/token-store/index.js'

/** Whom and what an embed is for. */
export interface EmbedSubjects {
  /** The id of the user, as an administrator revokes it. */
  user?: string | null | undefined
  tenant?: string | null | undefined
  /** By id or path, in any spelling. */
  dashboards?: readonly string[] | undefined
}

/** By whom limits count: two tenants may each have a user of one name. */
export function rateKeyOf ({ user, tenant = null }: EmbedSubjects): string {
  return JSON.stringify([tenant, user])
}

/**
 * Refuses with `FORBIDDEN` a user, tenant or dashboard whose cut-off is later than `issuedAt`: when the user reference
 * or the session of the request was issued, epoch milliseconds; now, if there is neither. An `issuedAt` ahead of now
 * comes from a clock that is ahead, and counts as issued before a cut-off of now. Throws at once if this process knows
 * all cut-offs, otherwise rejects; with `UNAVAILABLE` if the store cannot tell. Needs `app.tokenStore`, and no admin API.
 *
 * @example
 * await refuseRevoked(app, { user: session.userId, tenant: session.company }, session.startedAt)
 */
export function refuseRevoked (
  app: FastifyInstance, { user, tenant, dashboards }: EmbedSubjects, issuedAt: number
): void | Promise<void> {
  return refuseRevokedGrant(app, { subjects: subjectsOf([user], tenant, dashboards), issuedAt: earliestIssue(issuedAt, Date.now()) })
}

/** What the host's `authorize` granted. */
export interface HostGrant {
  /** Each name by which the host knows the user. */
  users: ReadonlyArray<string | undefined>
  tenant?: string | null | undefined
  dashboards?: readonly string[] | undefined
  /** Since when the host knows the user, epoch milliseconds. Default: since the user reference was signed, else now. */
  issuedAt?: number | undefined
}

/** By what a grant is cut off. */
export interface RevocableGrant {
  readonly subjects: readonly RevocationSubject[]
  /** Epoch milliseconds. */
  readonly issuedAt: number
}

/** By what a grant is cut off, on every embedding route: the user by the names that the host gives and by the subject of the user reference as well. */
export function revocableGrant (
  reference: { readonly sub: string, readonly iat?: number } | null, { users, tenant, dashboards, issuedAt }: HostGrant, now: number
): RevocableGrant {
  return {
    subjects: subjectsOf([...users, reference?.sub], tenant, dashboards),
    // The userReference guard has judged the reference's time by its own clock.
    issuedAt: issuedAt === undefined ? reference?.iat ?? now : earliestIssue(issuedAt, now)
  }
}

/** Refuses a grant like `refuseRevoked`; all its subjects are looked up together. */
export function refuseRevokedGrant (app: FastifyInstance, { subjects, issuedAt }: RevocableGrant): void | Promise<void> {
  if (subjects.length === 0) return
  // A host may have put an `audit` of its own in the place of the plugin.
  const orgId = app.hasDecorator('auditOrg') ? app.auditOrg : 'default'
  const cutoffs = app.tokenStore.revocations.cutoffs(orgId, subjects)
  return 'then' in cutoffs ? cutoffs.then(decide) : decide(cutoffs)

  function decide (cutoffs: readonly number[]): void {
    for (const [at, { kind }] of subjects.entries()) {
      const cutoff = cutoffs[at] ?? Infinity
      // The wrong way round, so that a time that is none lets nobody in.
      if (cutoff !== 0 && !(issuedAt >= cutoff)) throw new FORBIDDEN({ reason: `the ${kind} was revoked` })
    }
  }
}

function subjectsOf (
  users: ReadonlyArray<string | null | undefined>, tenant: string | null | undefined, dashboards: readonly string[] = []
): RevocationSubject[] {
  const subjects: RevocationSubject[] = []
  for (const [at, user] of users.entries()) {
    if (typeof user === 'string' && users.indexOf(user) === at) subjects.push({ kind: 'user', subject: user })
  }
  if (typeof tenant === 'string') subjects.push({ kind: 'tenant', subject: tenant })
  // Their names come from the page, and the product takes them in several spellings; administrators' cut-offs are kept in one. A host's may be in any.
  const names = new Set(dashboards.flatMap((dashboard) => [dashboard, canonicalDashboard(dashboard) || dashboard]))
  for (const name of names) subjects.push({ kind: 'dashboard', subject: name })
  return subjects
}
export type { RevocationKind, RevocationSubject } from '../contracts/token-store/index.js'
