import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../plugins/audit-log/index.js'
import { auditDecisions } from '../../lib/decision-audit.js'
import { rateKeyOf, refuseRevokedGrant, revocableGrant } from '../../plugins/embed-revocation.js'
import { FORBIDDEN } from '../../lib/errors.js'
import { hasGuard } from '../../lib/guard/index.js'
import { authorizeByHost } from '../../lib/authorize.js'
import { limitRate, named } from '../../lib/limits/rate-limit.js'
import { requestSlot } from '../../lib/request-slot.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import tokenStore from '../../plugins/token-store/index.js'
import { widgetTokenSchema } from '../../schemas/widget-token.js'
import type { WidgetTokenReply } from '../../schemas/widget-token.js'
import { sha256Hex } from '../../signing/digest.js'
import { signCheckedPayload, widgetMessage } from '../../signing/dxfeed/widget-token.js'
import { checkedKey, checkedOptions } from './options.js'
import type { AuthorizeWidget, WidgetTokenOptions, WidgetUser } from './options.js'
import { checkedUser } from './user.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../plugins/audit-log/index.js'
export type {} from '../../plugins/token-store/index.js'
export type {} from '../../plugins/user-reference/index.js'

export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
export type { AuthorizeWidget, WidgetTokenOptions, WidgetUser }

/** Of the tokens that are made at one time: in the token's own unit, and as the answer tells them. */
interface Times {
  issuedAt: number
  expiration: number
  told: Omit<WidgetTokenReply, 'token'>
}

/** The token endpoint of dxFeed's widgets: a signed token of a few minutes for the signed-in user of a page. */
const widgetToken: FastifyPluginAsync<WidgetTokenOptions> = async (app, options) => {
  const { path, issuer, session, filters, timeUnit, minutes, authorize, cors, rateLimit, userRateLimit, guards, now, ...given } = checkedOptions(options)
  const { prefix = '' } = options
  const keys = await RotatingSecret.open(given.secret, { name: 'widget-token: "secret"', check: checkedKey, log: app.log, maxAge: given.secretMaxAge })
  const unit = timeUnit === 'ms' ? 1 : 1_000
  const life = minutes * 60_000 / unit
  let times: Times | undefined
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, cors, rateLimit: named(rateLimit, `${path}-address`) }, async (scope) => {
    const decisionOf = auditDecisions(scope, { granted: 'widget_token.minted', refused: 'widget_token.refused', resourceType: 'widget_token' })
    const users = requestSlot<WidgetUser>(scope)

    scope.addHook('preHandler', async function identifyUser (request) {
      const decision = decisionOf(request)
      decision.userId = request.userReference?.sub ?? null
      const user = checkedUser(await authorizeByHost(() => authorize(request)))
      decision.userId = user.user
      users.set(request, user)
    })
    const userLimit = named(userRateLimit, `${path}-user`)
    await limitRate(scope, userLimit === false ? false : { keyGenerator: (request) => rateKeyOf(users.need(request)), ...userLimit, hook: 'preHandler' })

    const gatehouse = hasGuard(scope, 'userReference') ? { userReference: 'optional' as const, ...guards } : guards
    // A HEAD would mint like a GET.
    scope.get(path, { schema: widgetTokenSchema, exposeHeadRoute: false, config: { gatehouse } }, answerToken)

    async function answerToken (request: FastifyRequest, reply: FastifyReply): Promise<WidgetTokenReply> {
      const { user, tenant, issuedAt, filters: own = filters } = users.need(request)
      const message = messageOf(given.user ?? user, own)
      await refuseRevokedGrant(app, revocableGrant(request.userReference, { users: [user], tenant, issuedAt }, now()))
      const answer = mint(message, await keys.get())
      const decision = decisionOf(request)
      decision.resourceId = sha256Hex(answer.token).slice(0, 16)
      decision.details = { issuer, session, tenant, expiresAt: answer.expiresAt }
      reply.header('Cache-Control', 'no-store')
      return answer
    }
  })

  function mint (message: string, key: string): WidgetTokenReply {
    const { issuedAt, expiration, told } = timesNow()
    return { token: signCheckedPayload({ issuer, session, expiration, issuedAt, message }, key), ...told }
  }

  /** The same for all tokens of one millisecond or second, of which a busy server makes many. */
  function timesNow (): Times {
    const issuedAt = Math.floor(now() / unit)
    if (issuedAt === times?.issuedAt) return times
    const expiration = issuedAt + life
    const text = (time: number): string => new Date(time * unit).toISOString()
    times = { issuedAt, expiration, told: { issuedAt: text(issuedAt), refreshAfter: text(expiration - life / 5), expiresAt: text(expiration) } }
    return times
  }
}

/** A user id or filter that would change the meaning of the token is 403; the log names the field. */
function messageOf (user: string, filters: readonly string[]): string {
  try {
    return widgetMessage(user, filters)
  } catch (error) {
    throw new FORBIDDEN({ reason: `what "authorize" returned must not be signed: ${(error as Error).message}` })
  }
}

export default fp(widgetToken, { name: 'gatehouse-widget-token', fastify: '5.x' })
export type { HostDecision } from '../../lib/authorize.js'
