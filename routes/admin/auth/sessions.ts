import type { FastifyInstance, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import type { Session } from '../../../contracts/token-store/index.js'
import {
  endSessionSchema, listSessionsSchema, logoutAllSchema, logoutOthersSchema,
  meSchema
} from '../../../schemas/admin-auth.js'
import type { EndedSessions, Me, SessionItem } from '../../../schemas/admin-auth.js'
import type { PageReply } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { idOf, optionalBody } from '../request.js'
import { deviceName } from './device.js'
import type { TokenDelivery } from './token-delivery.js'

const config = { gatehouse: { admin: true } }

export interface SessionRouteSettings {
  /** Time after which a session that is not refreshed ends, in milliseconds. */
  idleMax: number
  delivery: TokenDelivery
  now: () => number
}

/** Registers the routes with which administrators read their profile and list and end their sessions. */
export function sessionRoutes (scope: FastifyInstance, { idleMax, delivery, now }: SessionRouteSettings): void {
  const { organisations, sessions } = scope.tokenStore

  /** Lists the caller's sessions; after a login at a provider, those in its organisation alone. */
  async function visibleSessions (request: FastifyRequest): Promise<Session[]> {
    const { sub, org_id: orgId, providerId } = adminOf(request)
    const all = await sessions.list(sub)
    return providerId === null ? all : all.filter((session) => session.orgId === orgId)
  }

  scope.get('/me', { schema: meSchema, config }, async function me (request): Promise<Me> {
    const { sub, email, org_id, role, sid } = adminOf(request)
    const organisation = await organisations.get(org_id)
    return { id: sub, email, org_id, org_name: organisation?.name ?? org_id, role, session_id: sid }
  })

  scope.get(
    '/sessions',
    { schema: listSessionsSchema, config },
    async function listSessions (request): Promise<PageReply<SessionItem>> {
      const { sid } = adminOf(request)
      const expiresAt = ({ lastUsedAt, endsAt }: Session) => Math.min(endsAt, lastUsedAt + idleMax)
      const data = (await visibleSessions(request)).filter((session) => expiresAt(session) > now())
        .map((session) => viewSession(session, expiresAt(session), sid))
      return { data, next_cursor: null, has_more: false }
    }
  )

  scope.delete(
    '/sessions/:id',
    { schema: endSessionSchema, config, ...optionalBody },
    async function endSession (request, reply) {
      const { sub, sid, providerId } = adminOf(request)
      const id = idOf(request.params)
      if (providerId !== null && !(await visibleSessions(request)).some((session) => session.id === id)) {
        throw new NOT_FOUND()
      }
      if (!await sessions.end(id, sub)) throw new NOT_FOUND()
      if (id === sid) delivery.forget(request)
      scope.audit({
        action: 'auth.logout',
        request,
        resourceType: 'session',
        resourceId: id,
        changes: { reason: id === sid ? 'logout' : 'ended_from_another_session' }
      })
      return reply.code(204).send()
    }
  )

  scope.post(
    '/logout-all',
    { schema: logoutAllSchema, config, ...optionalBody },
    async function logoutAll (request, reply) {
      const { sub } = adminOf(request)
      await sessions.endAll(sub)
      delivery.forget(request)
      scope.audit({
        action: 'auth.logout_all',
        request,
        resourceType: 'user',
        resourceId: sub,
        changes: { reason: 'logout_all' }
      })
      return reply.code(204).send()
    }
  )

  scope.post(
    '/logout-others',
    { schema: logoutOthersSchema, config, ...optionalBody },
    async function logoutOthers (request): Promise<EndedSessions> {
      const { sub, sid } = adminOf(request)
      const ended = await sessions.endOthers(sub, sid)
      scope.audit({
        action: 'auth.logout_others',
        request,
        resourceType: 'user',
        resourceId: sub,
        changes: { reason: 'logout_others', ended }
      })
      return { ended }
    }
  )
}

function viewSession (
  { id, orgId, createdAt, lastUsedAt, ip, userAgent }: Session,
  expiresAt: number,
  current: string
): SessionItem {
  return {
    id,
    org_id: orgId,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: new Date(lastUsedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    ip_address: ip,
    device: deviceName(userAgent),
    user_agent: userAgent,
    current: id === current
  }
}
