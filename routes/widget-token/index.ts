import type { KeyObject } from 'node:crypto'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../plugins/audit-log/index.js'
import { auditDecisions } from '../../lib/decision-audit.js'
import { rateKeyOf, refuseRevokedGrant, revocableGrant } from '../../plugins/embed-revocation.js'
import { FORBIDDEN } from '../../lib/errors.js'
import { optionalUserGuards } from '../../lib/guard/user-guards.js'
import type { Step } from '../../lib/channels.js'
import { authorizeByHost, endHook } from '../../lib/authorize.js'
import { limitRate, named } from '../../lib/limits/rate-limit.js'
import { requestSlot } from '../../lib/request-slot.js'
import { routeScope } from '../../lib/http/route-scope.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'
import { tracedValue } from '../../lib/trace.js'
import { signedUsers } from '../../lib/signed-users.js'
import tokenStore from '../../plugins/token-store/index.js'
import { widgetTokenSchema } from '../../schemas/widget-token.js'
import type { WidgetTokenReply } from '../../schemas/widget-token.js'
import { sha256Hex } from '../../signing/digest.js'
import { signCheckedPayload, widgetMessage } from '../../signing/dxfeed/widget-token.js'
import { identityGrant } from './identity-grant.js'
import { checkedKey, checkedOptions } from './options.js'
import type { AuthorizeWidget, WidgetTokenOptions, WidgetUser } from './options.js'
import { checkedUser } from './user.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../plugins/audit-log/index.js'
export type {} from '../../plugins/identity-token/index.js'
export type {} from '../../plugins/token-store/index.js'
export type {} from '../../plugins/user-reference/index.js'

export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
export { identityGrant }
export type { AuthorizeWidget, WidgetTokenOptions, WidgetUser }

const MINT: Step = { kind: 'mint', name: 'dxfeed' }

/** The times of a token, in the token's unit and in the form of the response. */
interface Times {
  issuedAt: number
  expiration: number
  reply: Omit<WidgetTokenReply, 'token'>
}

/**
 * Registers the token endpoint of dxFeed's widgets, which returns a short-lived signed token for the user of a page.
 * Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(widgetToken, {
 *   secret: process.env.DXFEED_SECRET,
 *   issuer: 'acme',
 *   session: 'acme-web',
 *   authorize: (request) => request.session.user?.id ?? null
 * })
 */
const widgetToken: FastifyPluginAsync<WidgetTokenOptions> = async (app, options) => {
  const {
    path,
    issuer,
    session,
    filters,
    timeUnit,
    minutes,
    authorize,
    cors,
    rateLimit,
    userRateLimit,
    guards,
    now,
    ...pluginOptions
  } = checkedOptions(options)
  const { prefix = '' } = options
  const keys = await RotatingSecret.open(pluginOptions.secret, {
    name: 'widget-token: "secret"',
    check: checkedKey,
    log: app.log,
    maxAge: pluginOptions.secretMaxAge
  })
  const unit = timeUnit === 'ms' ? 1 : 1_000
  const lifetime = minutes * 60_000 / unit
  let times: Times | undefined
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)

  await routeScope(app, { prefix, cors, rateLimit: named(rateLimit, `${path}-address`) }, async (scope) => {
    const decisionOf = auditDecisions(scope, {
      granted: 'widget_token.minted',
      refused: 'widget_token.refused',
      resourceType: 'widget_token',
      product: 'dxfeed'
    })
    const users = requestSlot<WidgetUser>(scope)

    scope.addHook('preHandler', function identifyUser (request, _reply, done) {
      decisionOf(request).userId = signedUsers(request)[0]?.sub ?? null
      const result = authorizeByHost(() => authorize(request))
      endHook(result instanceof Promise ? result.then((user) => admit(request, user)) : admit(request, result), done)
    })

    function admit (request: FastifyRequest, result: string | WidgetUser): void {
      const user = checkedUser(result)
      decisionOf(request).userId = user.user
      users.set(request, user)
    }

    const userLimit = named(userRateLimit, `${path}-user`)
    await limitRate(
      scope,
      userLimit === false
        ? false
        : { keyGenerator: (request) => rateKeyOf(users.need(request)), ...userLimit, hook: 'preHandler' }
    )

    const gatehouse = { ...optionalUserGuards(scope), ...guards }
    // A HEAD request would mint a token.
    scope.get(path, { schema: widgetTokenSchema, exposeHeadRoute: false, config: { gatehouse } }, sendToken)

    function sendToken (request: FastifyRequest, reply: FastifyReply): WidgetTokenReply | Promise<WidgetTokenReply> {
      const { user, tenant, issuedAt, filters: userFilters = filters } = users.need(request)
      const message = messageOf(pluginOptions.user ?? user, userFilters)
      const subject = { users: [user], tenant, issuedAt }
      const checking = refuseRevokedGrant(app, revocableGrant(signedUsers(request), subject, now()))
      const minted = checking instanceof Promise ? checking.then(() => signedToken(message)) : signedToken(message)
      return minted instanceof Promise
        ? minted.then((minted) => handOut(minted, tenant, request, reply))
        : handOut(minted, tenant, request, reply)
    }

    function handOut (
      minted: WidgetTokenReply,
      tenant: string | undefined,
      request: FastifyRequest,
      reply: FastifyReply
    ): WidgetTokenReply {
      const { token, expiresAt } = minted
      const decision = decisionOf(request)
      decision.resourceId = sha256Hex(token).slice(0, 16)
      decision.details = tenant === undefined ? { issuer, session, expiresAt } : { issuer, session, tenant, expiresAt }
      reply.header('cache-control', 'no-store')
      return minted
    }
  })

  function signedToken (message: string): WidgetTokenReply | Promise<WidgetTokenReply> {
    return tracedValue(MINT, () => {
      const key = keys.get()
      return key instanceof Promise ? key.then((key) => mint(message, key)) : mint(message, key)
    })
  }

  function mint (message: string, key: KeyObject): WidgetTokenReply {
    const { issuedAt, expiration, reply } = timesNow()
    const { refreshAfter, expiresAt } = reply
    const token = signCheckedPayload({ issuer, session, expiration, issuedAt, message }, key)
    return { token, issuedAt: reply.issuedAt, refreshAfter, expiresAt }
  }

  /** Returns the times of a token issued now; cached, because a busy server issues many tokens per time unit. */
  function timesNow (): Times {
    const issuedAt = Math.floor(now() / unit)
    if (issuedAt === times?.issuedAt) return times
    const expiration = issuedAt + lifetime
    const text = (time: number): string => new Date(time * unit).toISOString()
    times = {
      issuedAt,
      expiration,
      reply: { issuedAt: text(issuedAt), refreshAfter: text(expiration - lifetime / 5), expiresAt: text(expiration) }
    }
    return times
  }
}

/** Returns the message of a token. Throws `FORBIDDEN` for an unsafe user id or filter; the log names the field. */
function messageOf (user: string, filters: readonly string[]): string {
  try {
    return widgetMessage(user, filters)
  } catch (error) {
    throw new FORBIDDEN({ reason: `the result of "authorize" must not be signed: ${(error as Error).message}` })
  }
}

const plugin = fp(widgetToken, { name: 'gatehouse-widget-token', fastify: '5.x' })

export default Object.assign(plugin, { identityGrant })
export type { IdentityGrantOptions, IdentityToken, IdentityUser } from '../../plugins/identity-token/index.js'
export type { HostDecision } from '../../lib/authorize.js'
