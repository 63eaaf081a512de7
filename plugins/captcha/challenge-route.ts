import type { FastifyInstance, GatehouseRouteConfig } from 'fastify'

import { named } from '../../lib/limits/rate-limit.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { captchaChallengeSchema } from '../../schemas/captcha.js'
import type { AltchaVerifier } from './altcha.js'
import { CAPTCHA_LIMIT, CHALLENGE_PATH } from './options.js'
import type { AltchaOptions } from './options.js'

/**
 * What this route asks for: no captcha, and no CSRF token, whose own route may ask for a captcha. That one is hidden from the check of route
 * configurations, which refuses to name a guard that nobody registered: whether anybody does is not known yet.
 */
const OPEN = Object.defineProperty<GatehouseRouteConfig>({ captcha: false }, 'csrf', { value: false })

/** Hands out challenges. */
export async function challengeRoute (app: FastifyInstance, { challenge }: AltchaVerifier, options: AltchaOptions): Promise<void> {
  const { challengePath = CHALLENGE_PATH, cors, rateLimit = CAPTCHA_LIMIT } = options
  await routeScope(app, { cors, rateLimit: named(rateLimit, `captcha-challenge-${challengePath}`) }, async (scope) => {
    scope.get<{ Querystring: { action?: string } }>(challengePath, {
      schema: captchaChallengeSchema,
      exposeHeadRoute: false,
      config: { gatehouse: OPEN }
    }, async function answerChallenge ({ query }, reply) {
      reply.header('Cache-Control', 'no-store')
      return challenge(query.action)
    })
  })
}
