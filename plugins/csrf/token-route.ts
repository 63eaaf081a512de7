import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { CSRF_FAILED } from '../../lib/errors.js'
import { named } from '../../lib/limits/rate-limit.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { csrfTokenSchema } from '../../schemas/csrf.js'
import { COOKIE_NAME } from './options.js'
import type { CsrfOptions } from './options.js'
import { foreignReason } from '../../lib/http/site-check.js'
import type { SiteRules } from '../../lib/http/site-check.js'

type CreateToken = (request: FastifyRequest, reply: FastifyReply) => Promise<string>

/** Registers the route that returns a token to pages of the same origin and, by CORS, of the allowed origins. */
export async function tokenRoute (
  app: FastifyInstance,
  path: string,
  { rateLimit = { max: 120, timeWindow: '1 minute' }, cookie = {} }: CsrfOptions,
  rules: SiteRules,
  createToken: CreateToken
): Promise<void> {
  const cors = rules.origins.size === 0 ? undefined : { origins: [...rules.origins], methods: ['GET'] }
  await routeScope(
    app,
    { cors, rateLimit: named(rateLimit, `csrf-token-${cookie.name ?? COOKIE_NAME}-${path}`) },
    async (scope) => {
      scope.get(
        path,
        { schema: csrfTokenSchema, exposeHeadRoute: false, config: { gatehouse: { issues: 'csrf' } } },
        async function sendToken (request, reply) {
          const reason = foreignReason(request, rules)
          if (reason !== null) throw new CSRF_FAILED({ reason })
          return { token: await createToken(request, reply) }
        }
      )
    }
  )
}
