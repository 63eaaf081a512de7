import type { FastifyInstance, FastifyRequest } from 'fastify'

import { atLeast } from '../../../../plugins/admin-guard/index.js'
import { FORBIDDEN, INVALID_REQUEST, NOT_FOUND } from '../../../../lib/errors.js'
import type { Revocation, RevocationKind } from '../../../../contracts/token-store/index.js'
import * as schemas from '../../../../schemas/admin-embeds.js'
import type { EmbedQuery, RevocationItem, RevocationQuery, RevokeEmbedsBody } from '../../../../schemas/admin-embeds.js'
import { canonicalDashboard } from '../../../../signing/boldbi/dashboard-name.js'
import { callerOf } from '../../admin-scope.js'
import { actionsOf, viewDecision, withoutPerson } from './decisions.js'
import { findRevocations } from './find-revocations.js'
import { idOf, optionalBody } from '../../request.js'
import { pageReply, timeOf } from '../page-reply.js'
import { readPage } from '../page-request.js'
import { PERMISSIONS } from '../../permissions.js'

const REVOKE = '/embeds/revoke'
const ALL = '/embeds/revocations'
const ONE = `${ALL}/:id`

/** The roles that may read user ids and filter by them. */
const READS_PERSONS = new Set(atLeast('admin'))
const MAX_AHEAD = 10 * 365.25 * 86_400_000

/** Registers the routes that list embedding decisions, and that create, list and lift revocations of embeds. */
export function embedRoutes (scope: FastifyInstance, now: () => number): void {
  const { revocations, guestTokens, audit: trail } = scope.tokenStore

  scope.post<{ Body: RevokeEmbedsBody }>(
    REVOKE,
    { schema: schemas.revokeEmbedsSchema, ...PERMISSIONS.revokeEmbeds },
    async function revokeEmbeds (request) {
      const { sub: createdBy, org_id: orgId } = callerOf(request)
      const { kind, subject } = subjectOf(request.body)
      const revocation = await revocations.revoke({
        orgId,
        kind,
        subject,
        before: cutoffOf(request.body, now()),
        createdBy
      })
      audit(request, 'embed.revoked', revocation)
      // The client of a guest token is a user or a tenant. If another organisation has the same id, it mints one more
      // token.
      if (kind !== 'dashboard') await guestTokens.invalidate({ clientId: subject })
      return viewRevocation(revocation)
    }
  )

  scope.get<{ Querystring: RevocationQuery }>(ALL, {
    schema: schemas.listRevocationsSchema,
    ...PERMISSIONS.readRevocations
  }, async function listRevocations (request) {
    const { kind, subject } = request.query
    const readsPersons = mayReadPersons(request)
    // Without a kind the subject may be a user id, and the number of results would reveal whether it exists.
    if (!readsPersons && subject !== undefined && (kind === undefined || kind === 'user')) {
      throw new FORBIDDEN({ reason: 'filter by a user' })
    }
    const page = await readPage(
      request,
      (page) => findRevocations(revocations, callerOf(request).org_id, { kind, subject }, page)
    )
    return pageReply(page, readsPersons ? viewRevocation : revocationWithoutPerson)
  })

  scope.delete(
    ONE,
    { schema: schemas.liftRevocationSchema, ...PERMISSIONS.revokeEmbeds, ...optionalBody },
    async function liftRevocation (request, reply) {
      const revocation = await revocations.lift(callerOf(request).org_id, idOf(request.params))
      if (revocation === null) throw new NOT_FOUND()
      audit(request, 'embed.revocation_lifted', revocation)
      return reply.code(204).send()
    }
  )

  scope.get<{ Querystring: EmbedQuery }>(
    '/embeds',
    { schema: schemas.listEmbedsSchema, ...PERMISSIONS.readEmbeds },
    async function listEmbeds (request) {
      const { user_id: userId, product, outcome, from, to } = request.query
      const filter = { actions: actionsOf(product, outcome), userId, from: timeOf('from', from), to: timeOf('to', to) }
      const page = await readPage(request, (page) => trail.list(callerOf(request).org_id, filter, page))
      return pageReply(page, mayReadPersons(request) ? viewDecision : withoutPerson)
    }
  )

  function audit (request: FastifyRequest, action: string, { id, kind, subject, before }: Revocation): void {
    scope.audit({
      action,
      request,
      resourceType: 'revocation',
      resourceId: id,
      changes: { kind, subject, before: iso(before) }
    })
  }
}

function mayReadPersons (request: FastifyRequest): boolean {
  return READS_PERSONS.has(callerOf(request).role)
}

function subjectOf ({ user_id, tenant_id, dashboard_id }: RevokeEmbedsBody): { kind: RevocationKind, subject: string } {
  const named: Array<{ kind: RevocationKind, subject: string }> = []
  if (user_id !== undefined) named.push({ kind: 'user', subject: user_id })
  if (tenant_id !== undefined) named.push({ kind: 'tenant', subject: tenant_id })
  // Pages spell the name of a dashboard in several ways.
  if (dashboard_id !== undefined) named.push({ kind: 'dashboard', subject: canonicalDashboard(dashboard_id) })
  const [only] = named
  if (only === undefined || named.length > 1) {
    throw new INVALID_REQUEST({
      details: [{ path: '', message: 'must have exactly one of user_id, tenant_id and dashboard_id' }]
    })
  }
  if (only.subject === '') {
    throw new INVALID_REQUEST({ details: [{ path: '/dashboard_id', message: 'must name a dashboard' }] })
  }
  return only
}

function cutoffOf ({ before }: RevokeEmbedsBody, now: number): number {
  const time = timeOf('before', before) ?? now
  if (time <= 0 || time > now + MAX_AHEAD) {
    throw new INVALID_REQUEST({
      details: [{ path: '/before', message: 'must be after 1970 and at most 10 years ahead' }]
    })
  }
  return time
}

function viewRevocation ({ id, kind, subject, before, createdAt, createdBy }: Revocation): RevocationItem {
  return { id, kind, subject, before: iso(before), created_at: iso(createdAt), created_by: createdBy }
}

/** Returns a revocation for a role below admin: without the revoked user and without the administrator. */
function revocationWithoutPerson (revocation: Revocation): RevocationItem {
  const item = viewRevocation(revocation)
  return { ...item, subject: item.kind === 'user' ? null : item.subject, created_by: null }
}

function iso (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
