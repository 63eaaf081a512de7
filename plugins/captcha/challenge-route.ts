import type { FastifyInstance } from 'fastify'

import { named } from '../../lib/limits/rate-limit.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { captchaChallengeSchema } from '../../schemas/captcha.js'
import type { AltchaVerifier } from './altcha.js'
import { CAPTCHA_LIMIT, CHALLENGE_PATH } from './options.js'
import type { AltchaOptions } from './options.js'

/** Registers the route that returns challenges. */
export async function challengeRoute (
  app: FastifyInstance,
  { challenge }: AltchaVerifier,
  options: AltchaOptions
): Promise<void> {
  const { challengePath = CHALLENGE_PATH, cors, rateLimit = CAPTCHA_LIMIT } = options
  await routeScope(app, { cors, rateLimit: named(rateLimit, `captcha-challenge-${challengePath}`) }, async (scope) => {
    scope.get<{ Querystring: { action?: string } }>(challengePath, {
      schema: captchaChallengeSchema,
      exposeHeadRoute: false,
      config: { gatehouse: { issues: 'captcha' } }
    }, async function sendChallenge ({ query }, reply) {
      reply.header('Cache-Control', 'no-store')
      return challenge(query.action)
    })
  })
}
