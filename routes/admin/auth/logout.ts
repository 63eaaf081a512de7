import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { RefreshClaims } from '../../../lib/admin-tokens/index.js'
import { GatehouseError } from '../../../lib/errors.js'
import { logoutSchema } from '../../../schemas/admin-auth.js'
import type { RefreshBody } from '../../../schemas/admin-auth.js'
import { readRefreshToken } from './refresh.js'

/** `POST /logout`: ends the session of a refresh token. The response is 204 also if the session has already ended. */
export function logoutRoute (scope: FastifyInstance): void {
  scope.post<{ Body: RefreshBody }>(
    '/logout',
    { schema: logoutSchema, config: { gatehouse: { admin: false } } },
    async function logout (request, reply) {
      const claims = readUnexpiredToken(request, request.body.refresh_token)
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
