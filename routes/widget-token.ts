import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../plugins/audit-log.js'
import { auditDecisions } from '../plugins/decision-audit.js'
import { FORBIDDEN, INTERNAL_ERROR, UNAUTHORIZED } from '../plugins/errors.js'
import { askHost } from '../plugins/host-decision.js'
import { limitRate, named } from '../plugins/rate-limit.js'
import { requestSlot } from '../plugins/request-slot.js'
import { routeScope } from '../plugins/route-scope.js'
import { preflightRoute } from '../plugins/site-cors.js'
import tokenStore from '../plugins/token-store/index.js'
import { widgetTokenSchema } from '../schemas/widget-token.js'
import { sha256Hex } from '../signing/digest.js'
import { signWidgetToken, widgetMessage } from '../signing/widget-token.js'
import { checkedOptions } from './widget-token/options.js'
import type { WidgetTokenOptions, WidgetUser } from './widget-token/options.js'

export type { WidgetTokenOptions, WidgetUser }

/** The token endpoint of dxFeed's widgets: a signed token of a few minutes for the signed-in user of a page. */
const widgetToken: FastifyPluginAsync<WidgetTokenOptions> = async (app, options) => {
  const { path, secret, issuer, session, filters, timeUnit, minutes, resolveUser, cors, rateLimit, userRateLimit, guards, now } = checkedOptions(options)
  const { prefix = '' } = options
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, cors, rateLimit: named(rateLimit, `${path}-address`) }, async (scope) => {
    const decisionOf = auditDecisions(scope, { granted: 'widget_token.minted', refused: 'widget_token.refused', resourceType: 'widget_token' })
    const users = requestSlot<WidgetUser>(scope)

    scope.addHook('preHandler', async function identifyUser (request) {
      const user = checkedUser(await askHost(() => resolveUser(request)))
      decisionOf(request).userId = user.user
      users.set(request, user)
    })
    const userLimit = named(userRateLimit, `${path}-user`)
    await limitRate(scope, userLimit === false ? false : { keyGenerator: (request) => userOf(request).user, ...userLimit, hook: 'preHandler' })

    preflightRoute(scope, path)
    // A HEAD would mint like a GET.
    scope.get(path, { schema: widgetTokenSchema, exposeHeadRoute: false, config: { gatehouse: guards } }, answerToken)

    function answerToken (request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const { token, expiresAt } = mint(userOf(request))
      const decision = decisionOf(request)
      decision.resourceId = sha256Hex(token).slice(0, 16)
      decision.details = { issuer, session, expiresAt }
      return reply.header('Cache-Control', 'no-store').send({ token, expiresAt })
    }

    function userOf (request: FastifyRequest): WidgetUser {
      const user = users.get(request)
      if (user === null) throw new INTERNAL_ERROR({ reason: 'the request has no user' })
      return user
    }
  })

  function checkedUser (answer: string | WidgetUser): WidgetUser {
    const user = typeof answer === 'string' ? { user: answer } : answer
    // A misspelt "filters" that is passed over would widen what the user sees.
    const isKnown = Object.keys(user).every((name) => name === 'user' || name === 'filters')
    if (!isKnown || typeof user.user !== 'string' || !(user.filters === undefined || Array.isArray(user.filters))) {
      throw new INTERNAL_ERROR({ reason: 'widget-token: "resolveUser" must return an id, { user, filters? } or null' })
    }
    if (user.user === '') throw new UNAUTHORIZED({ reason: '"resolveUser" named no user' })
    return user
  }

  function mint (user: WidgetUser): { token: string, expiresAt: string } {
    const message = messageOf(user)
    const unit = timeUnit === 'ms' ? 1 : 1_000
    const issuedAt = Math.floor(now() / unit)
    const expiration = issuedAt + minutes * 60_000 / unit
    const token = signWidgetToken({ issuer, session, expiration, issuedAt, message }, secret)
    return { token, expiresAt: new Date(expiration * unit).toISOString() }
  }

  /** A user whose name would change what the token says is refused like one who may not; the log names the field. */
  function messageOf (user: WidgetUser): string {
    try {
      return widgetMessage(user.user, user.filters ?? filters)
    } catch (error) {
      throw new FORBIDDEN({ reason: `what "resolveUser" returned must not be signed: ${(error as Error).message}` })
    }
  }
}

export default fp(widgetToken, { name: 'gatehouse-widget-token', fastify: '5.x' })
