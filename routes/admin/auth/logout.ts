import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { RefreshClaims } from '../../../lib/admin-tokens/index.js'
import { GatehouseError } from '../../../lib/errors.js'
import { readRefreshToken } from './refresh.js'
import type { TokenDelivery } from './token-delivery.js'

/** `POST /logout`: ends the session of a refresh token. The response is 204 also if the session has already ended. */
export function logoutRoute (scope: FastifyInstance, delivery: TokenDelivery): void {
  scope.post(
    '/logout',
    { schema: delivery.logoutSchema, config: { gatehouse: { admin: false } }, ...delivery.routeOptions },
    async function logout (request, reply) {
      const token = delivery.read(request)
      delivery.forget(request)
      const claims = token === null ? null : readUnexpiredToken(request, token)
      if (claims !== null && await scope.tokenStore.sessions.end(claims.sid, claims.sub)) {
        scope.audit({
          action: 'auth.logout',
          request,
          orgId: claims.org_id,
          userId: claims.sub,
          resourceType: 'session',
          resourceId: claims.sid,
          changes: { reason: 'logout' }
        })
      }
      return reply.code(204).send()
    }
  )
}

/** Returns `null` for an expired token: a leaked old token must not end a session that still exists. */
function readUnexpiredToken (request: FastifyRequest, token: string): RefreshClaims | null {
  try {
    return readRefreshToken(request, token)
  } catch (error) {
    if (
      error instanceof GatehouseError && error.cause instanceof GatehouseError && error.cause.code === 'EXPIRED_TOKEN'
    ) return null
    throw error
  }
}
