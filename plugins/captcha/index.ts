import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import { altcha } from './altcha.js'
import type { AltchaVerifier } from './altcha.js'
import { challengeRoute } from './challenge-route.js'
import { limitPresented } from './limit-presented.js'
import { acceptsRule, checkOptions, expectedRule } from './options.js'
import type { AltchaOptions, CaptchaOptions, CaptchaRule, SiteverifyOptions } from './options.js'
import { presentedToken } from './presented-token.js'
import { siteverify } from './siteverify.js'
import { publishAllowed } from '../../lib/channels.js'
import { requestAddress } from '../../lib/http/client-address.js'
import { CAPTCHA_FAILED } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import { tracedCheck } from '../../lib/trace.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/token-store/index.js'

export type { AltchaOptions, CaptchaOptions, CaptchaRule, SiteverifyOptions }

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Requires an unused captcha token in `X-Captcha-Token`; `{ action }` requires a token for this action. */
    captcha?: CaptchaRule
  }
}

/**
 * Refuses requests without a solved captcha, with 403 `CAPTCHA_FAILED`, also if the captcha cannot be verified. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(captcha, { provider: 'altcha', hmacKey: process.env.CAPTCHA_KEY })
 * app.post('/signup', { config: { gatehouse: { captcha: { action: 'signup' } } } }, signUp)
 */
const captcha: FastifyPluginAsync<CaptchaOptions> = async (app, options) => {
  checkOptions(options)
  const { global = false, field } = options
  // The store records the used tokens.
  const store = app.tokenStore
  const ruleFor = defineGuard(app, {
    name: 'captcha',
    fallback: global,
    exempts: ['captcha', 'csrf'],
    accepts: (rule) => acceptsRule(options, rule),
    expected: expectedRule(options),
    securityScheme: 'captcha'
  })

  const verifier = options.provider === 'altcha' ? await createAltcha(options) : await siteverify(app, options)
  const limit = await limitPresented(app, options)

  const tokens = requestSlot<{ readonly token: string }>(app)

  const checkToken = tracedCheck('captcha', function checkToken (
    request,
    reply,
    done,
    token: string,
    rule: Exclude<CaptchaRule, false>
  ) {
    validateToken(token, request, reply, rule === true ? null : rule.action).then((error) => {
      if (error !== null) {
        refuse(reply, error, 'captcha')
        return
      }
      publishAllowed(request, 'captcha')
      done()
    })
  })

  // With "field" the token is read before validation, which may remove it from the body, and used up after it, so that
  // a body that fails its schema does not use up the token.
  app.addHook(
    (field === undefined ? 'onRequest' : 'preValidation') as 'onRequest',
    function readCaptcha (request, reply, done) {
      const rule = ruleFor(request)
      if (rule === undefined || rule === false) return done()
      const token = presentedToken(request, field)
      if (token === null) {
        refuse(reply, new CAPTCHA_FAILED({ reason: 'no captcha token, or more than one' }), 'captcha')
        return
      }
      if (field === undefined) return checkToken(request, reply, done, token, rule)
      tokens.set(request, { token })
      done()
    }
  )
  if (field !== undefined) {
    app.addHook('preHandler', function checkCaptcha (request, reply, done) {
      const rule = ruleFor(request)
      if (rule === undefined || rule === false) return done()
      checkToken(request, reply, done, tokens.need(request).token, rule)
    })
  }

  async function createAltcha (options: AltchaOptions): Promise<AltchaVerifier> {
    const verifier = await altcha(app, options)
    await challengeRoute(app, verifier, options)
    return verifier
  }

  async function validateToken (
    token: string,
    request: FastifyRequest,
    reply: FastifyReply,
    action: string | null
  ): Promise<GatehouseError | null> {
    try {
      await limit?.call(app, request, reply)
      const { claim, ttl } = await verifier.verify(token, { action, address: requestAddress(request) })
      // Claimed only after the check: invalid tokens must not fill the store, and a failed check may be repeated.
      if (claim === null || await store.claim(claim, ttl)) return null
      return new CAPTCHA_FAILED({ reason: 'the captcha token was used before' })
    } catch (error) {
      return toPublicError(error)
    }
  }
}

export default fp(captcha, { name: 'gatehouse-captcha', fastify: '5.x', decorators: { fastify: ['tokenStore'] } })
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
export type { CommonCaptchaOptions } from './options.js'
export type { SiteverifyProvider } from './products.js'
