import type { FastifyInstance } from 'fastify'

import { claimsOf } from './claims.js'
import type { ProviderState } from './state.js'

/** The userinfo endpoint, for an access token in the `Authorization` header. */
export function userinfoRoute (app: FastifyInstance, { grants, sessions }: ProviderState): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/userinfo',
    async handler ({ headers: { authorization } }, reply) {
      const [, token] = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '') ?? []
      if (token === undefined) return reply.code(401).header('WWW-Authenticate', 'Bearer').send()
      const grant = grants.ofAccessToken(token)
      if (grant === null || !sessions.isLive(grant.session)) {
        const challenge = 'Bearer error="invalid_token", error_description="The access token is unknown or expired"'
        return reply.code(401).header('WWW-Authenticate', challenge).send()
      }
      return claimsOf(grant.session.person, grant.scopes)
    }
  })
}
