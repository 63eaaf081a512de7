import type { FastifyInstance } from 'fastify'

import { canonicalDashboard } from '../signing/dashboard-name.js'
import { earliestIssue } from '../signing/issue-time.js'
import { FORBIDDEN } from './errors.js'
import type { RevocationKind } from './token-store/store.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from './token-store/index.js'

/** Whom and what an embed is for. */
export interface EmbedSubjects {
  /** The id of the user, as an administrator revokes it. */
  user?: string | null | undefined
  tenant?: string | null | undefined
  /** By id or path, in any spelling. */
  dashboards?: readonly string[] | undefined
}

/** By whom limits count: two tenants may each have a user of one name. */
export function callerOf ({ user, tenant = null }: EmbedSubjects): string {
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
export function refuseRevoked (app: FastifyInstance, subjects: EmbedSubjects, issuedAt: number): void | Promise<void> {
  return refuseIssuedBefore(app, subjects, earliestIssue(issuedAt, Date.now()))
}

/** The same for a time that `earliestIssue` has judged by the clock of the caller. */
export function refuseIssuedBefore (
  app: FastifyInstance, { user, tenant, dashboards = [] }: EmbedSubjects, issuedAt: number
): void | Promise<void> {
  const { revocations } = app.tokenStore
  // A host may have put an `audit` of its own in the place of the plugin.
  const orgId = app.hasDecorator('auditOrg') ? app.auditOrg : 'default'
  const pending: Array<Promise<void>> = []
  let revoked: RevocationKind | null = null

  function look (kind: RevocationKind, subject: string): void {
    const cutoff = revocations.cutoff(orgId, kind, subject)
    if (typeof cutoff === 'number') check(kind, cutoff)
    else pending.push(cutoff.then((found) => check(kind, found)))
  }

  function check (kind: RevocationKind, cutoff: number): void {
    // The wrong way round, so that a time that is none lets nobody in.
    if (cutoff !== 0 && !(issuedAt >= cutoff)) revoked ??= kind
  }

  function decide (): void {
    if (revoked !== null) throw new FORBIDDEN({ reason: `the ${revoked} was revoked` })
  }

  if (typeof user === 'string') look('user', user)
  if (typeof tenant === 'string') look('tenant', tenant)
  // Their names come from the page, and the product takes them in several spellings; administrators' cut-offs are kept in one. A host's may be in any.
  if (dashboards.length > 0) {
    const names = new Set(dashboards.flatMap((dashboard) => [dashboard, canonicalDashboard(dashboard) || dashboard]))
    for (const name of names) look('dashboard', name)
  }
  return pending.length === 0 ? decide() : Promise.all(pending).then(decide)
}
