import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import type { Session } from '../../../contracts/token-store/index.js'
import { endSessionSchema, listSessionsSchema, logoutAllSchema, meSchema } from '../../../schemas/admin-auth.js'
import type { Me, SessionItem } from '../../../schemas/admin-auth.js'
import type { PageReply } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { idOf, optionalBody } from '../request.js'

const config = { gatehouse: { admin: true } }

/** Registers the routes with which administrators read their profile and list and end their sessions. */
export function sessionRoutes (scope: FastifyInstance): void {
  const { sessions } = scope.tokenStore

  scope.get('/me', { schema: meSchema, config }, async function me (request): Promise<Me> {
    const { sub, email, org_id, role, sid } = adminOf(request)
    return { id: sub, email, org_id, role, session_id: sid }
  })

  scope.get(
    '/sessions',
    { schema: listSessionsSchema, config },
    async function listSessions (request): Promise<PageReply<SessionItem>> {
      const { sub, sid } = adminOf(request)
      const data = (await sessions.list(sub)).map((session) => viewSession(session, sid))
      return { data, next_cursor: null, has_more: false }
    }
  )

  scope.delete(
    '/sessions/:id',
    { schema: endSessionSchema, config, ...optionalBody },
    async function endSession (request, reply) {
      const { sub } = adminOf(request)
      const id = idOf(request.params)
      if (!await sessions.end(id, sub)) throw new NOT_FOUND()
      scope.audit({ action: 'auth.logout', request, resourceType: 'session', resourceId: id })
      return reply.code(204).send()
    }
  )

  scope.post(
    '/logout-all',
    { schema: logoutAllSchema, config, ...optionalBody },
    async function logoutAll (request, reply) {
      const { sub } = adminOf(request)
      await sessions.endAll(sub)
      scope.audit({ action: 'auth.logout_all', request, resourceType: 'user', resourceId: sub })
      return reply.code(204).send()
    }
  )
}

function viewSession ({ id, createdAt, lastUsedAt, endsAt, ip, userAgent }: Session, current: string): SessionItem {
  return {
    id,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: new Date(lastUsedAt).toISOString(),
    expires_at: new Date(endsAt).toISOString(),
    ip_address: ip,
    user_agent: userAgent,
    current: id === current
  }
}
