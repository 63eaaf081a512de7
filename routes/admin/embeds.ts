import type { FastifyInstance, FastifyRequest } from 'fastify'

import { atLeast } from '../../plugins/admin-guard.js'
import { INVALID_REQUEST, NOT_FOUND } from '../../plugins/errors.js'
import type { Revocation, RevocationKind } from '../../plugins/token-store/store.js'
import * as schemas from '../../schemas/admin-embeds.js'
import type { EmbedQuery, RevocationItem, RevocationQuery, RevokeEmbedsBody } from '../../schemas/admin-embeds.js'
import { canonicalDashboard } from '../../signing/dashboard-name.js'
import { callerOf } from './admin-scope.js'
import { actionsOf, viewDecision, withoutPerson } from './embeds/decisions.js'
import { listRevoked } from './embeds/revoked-as.js'
import { optionalBody } from './optional-body.js'
import { pageReply, timeOf } from './page-reply.js'
import { MAY } from './permissions.js'
import { idOf } from './resource-id.js'

const REVOKE = '/embeds/revoke'
const ALL = '/embeds/revocations'
const ONE = `${ALL}/:id`

export const EMBED_PATHS = ['/embeds', REVOKE, ALL, ONE]

/** Who reads of persons; the others read of embeds. */
const READS_PERSONS = new Set(atLeast('admin'))
const FURTHEST = 10 * 365.25 * 86_400_000

/** What the embedding routes decided, and the revocations of embeds. */
export function embedRoutes (scope: FastifyInstance, now: () => number): void {
  const { revocations, guestTokens, audit: trail } = scope.tokenStore

  scope.post<{ Body: RevokeEmbedsBody }>(REVOKE, { schema: schemas.revokeEmbedsSchema, ...MAY.revokeEmbeds }, async function revokeEmbeds (request) {
    const { sub: createdBy, org_id: orgId } = callerOf(request)
    const { kind, subject } = subjectOf(request.body)
    const revocation = await revocations.revoke({ orgId, kind, subject, before: cutoffOf(request.body, now()), createdBy })
    audit(request, 'embed.revoked', revocation)
    // A guest token is of a user or of a tenant, whichever its client is; of another organisation's it costs one mint more.
    if (kind !== 'dashboard') await guestTokens.invalidate({ clientId: subject })
    return viewRevocation(revocation)
  })

  scope.get<{ Querystring: RevocationQuery }>(ALL, { schema: schemas.listRevocationsSchema, ...MAY.readEmbeds }, async function listRevocations (request) {
    const { kind, subject, cursor, limit } = request.query
    return pageReply(await listRevoked(revocations, callerOf(request).org_id, { kind, subject }, { cursor, limit }), viewRevocation)
  })

  scope.delete(ONE, { schema: schemas.liftRevocationSchema, ...MAY.revokeEmbeds, ...optionalBody }, async function liftRevocation (request, reply) {
    const revocation = await revocations.lift(callerOf(request).org_id, idOf(request.params))
    if (revocation === null) throw new NOT_FOUND()
    audit(request, 'embed.revocation_lifted', revocation)
    return reply.code(204).send()
  })

  scope.get<{ Querystring: EmbedQuery }>('/embeds', { schema: schemas.listEmbedsSchema, ...MAY.readEmbeds }, async function listEmbeds (request) {
    const { user_id: userId, product, outcome, from, to, cursor, limit } = request.query
    const filter = { actions: actionsOf(product, outcome), userId, from: timeOf('from', from), to: timeOf('to', to) }
    const { org_id: orgId, role } = callerOf(request)
    return pageReply(await trail.list(orgId, filter, { cursor, limit }), READS_PERSONS.has(role) ? viewDecision : withoutPerson)
  })

  function audit (request: FastifyRequest, action: string, { id, kind, subject, before }: Revocation): void {
    scope.audit({ action, request, resourceType: 'revocation', resourceId: id, changes: { kind, subject, before: iso(before) } })
  }
}

function subjectOf ({ user_id, tenant_id, dashboard_id }: RevokeEmbedsBody): { kind: RevocationKind, subject: string } {
  const named: Array<{ kind: RevocationKind, subject: string }> = []
  if (user_id !== undefined) named.push({ kind: 'user', subject: user_id })
  if (tenant_id !== undefined) named.push({ kind: 'tenant', subject: tenant_id })
  // However a page spells it.
  if (dashboard_id !== undefined) named.push({ kind: 'dashboard', subject: canonicalDashboard(dashboard_id) })
  const [only] = named
  if (only === undefined || named.length > 1) {
    throw new INVALID_REQUEST({ details: [{ path: '', message: 'must have exactly one of user_id, tenant_id and dashboard_id' }] })
  }
  if (only.subject === '') throw new INVALID_REQUEST({ details: [{ path: '/dashboard_id', message: 'must name a dashboard' }] })
  return only
}

function cutoffOf ({ before }: RevokeEmbedsBody, now: number): number {
  const time = timeOf('before', before) ?? now
  if (time <= 0 || time > now + FURTHEST) throw new INVALID_REQUEST({ details: [{ path: '/before', message: 'must be after 1970 and at most 10 years ahead' }] })
  return time
}

function viewRevocation ({ id, kind, subject, before, createdAt, createdBy }: Revocation): RevocationItem {
  return { id, kind, subject, before: iso(before), created_at: iso(createdAt), created_by: createdBy }
}

function iso (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
