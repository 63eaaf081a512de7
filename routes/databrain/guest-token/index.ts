import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../../plugins/audit-log/index.js'
import { auditDecisions } from '../../../lib/decision-audit.js'
import { rateKeyOf, refuseRevokedGrant } from '../../../plugins/embed-revocation.js'
import { authorizeByHost, endHook } from '../../../lib/authorize.js'
import { limitRate, named } from '../../../lib/limits/rate-limit.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { routeScope } from '../../../lib/http/route-scope.js'
import { RotatingSecret } from '../../../lib/secrets/secret-source.js'
import { signedUsers } from '../../../lib/signed-users.js'
import type { SignedUser } from '../../../lib/signed-users.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { upstreamClient } from '../../../lib/upstream-client/index.js'
import { meteredUpstream } from '../../../lib/upstream-client/metered.js'
import { guardByUserReference } from '../../../plugins/user-reference/index.js'
import { guestTokenSchema } from '../../../schemas/guest-token.js'
import type { GuestTokenReply } from '../../../schemas/guest-token.js'
import { sha256Hex } from '../../../signing/digest.js'
import { throwAsDocumented } from './upstream-reply.js'
import { checkedGrant } from './grant.js'
import type { CheckedGrant } from './grant.js'
import { byReference, REFERENCE_KEYS, referencesOf, registerGuards, requiredGuards } from './guards.js'
import { identityGrants } from './identity-grants.js'
import type { GuestTokenIdentityOptions } from './identity-grants.js'
import { checkedOptions } from './options.js'
import type { GuestTokenGrant, GuestTokenOptions } from './options.js'
import { pageConfig } from './page-config.js'
import type { PageConfig, PageConfigOptions } from './page-config.js'
import { renewalRoute } from './renewal.js'
import { checkedRenewal } from './renewal-options.js'
import type { RenewalGrant, RenewalOptions } from './renewal-options.js'
import { checkedApiKey } from '../token-options.js'
import { TokenSource } from './token-source.js'
import type { IssuedToken } from './token-source.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/proxy-key.js'
export type {} from '../../../plugins/identity-token/index.js'
export type {} from '../../../plugins/token-store/index.js'
export type {} from '../../../plugins/user-reference/index.js'

export { identityGrants, pageConfig }
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { DatabrainTokenOptions } from '../token-options.js'
export type {
  GuestTokenGrant, GuestTokenIdentityOptions, GuestTokenOptions, PageConfig, PageConfigOptions, RenewalGrant,
  RenewalOptions
}

/**
 * Registers the proxy-authentication endpoint of DataBrain, which DataBrain's servers call for the guest token of a
 * page's user. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(guestToken, {
 *   apiKey: process.env.DATABRAIN_API_KEY,
 *   dataAppName: 'sales',
 *   proxyKeys: [process.env.PROXY_KEY],
 *   userReferenceKeys: [process.env.USER_REFERENCE_KEY]
 * })
 */
const guestToken: FastifyPluginAsync<GuestTokenOptions> = async (app, options) => {
  const checked = checkedOptions(options)
  const { path, apiUrl, authorize = byReference, errorStatus, guards, now } = checked
  const renewal = options.renewal === undefined ? null : checkedRenewal(options.renewal)
  const { userReferenceKeys, secretMaxAge, prefix = '', connectTimeout, timeout, retries, ca } = options
  const apiKey = await RotatingSecret.open(options.apiKey, {
    name: 'guest-token: "apiKey"',
    check: (key) => checkedApiKey('guest-token', key),
    log: app.log,
    maxAge: secretMaxAge
  })
  const { origin, pathname } = new URL(apiUrl)
  const upstream = meteredUpstream(app, 'databrain', upstreamClient({ origin, connectTimeout, timeout, retries, ca }))
  app.addHook('onClose', () => upstream.close())
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)
  // A userReference plugin of a parent scope may have other keys, and the route would refuse its references.
  if (userReferenceKeys !== undefined && !Object.hasOwn(app, 'userReference')) {
    await guardByUserReference(app, { keys: userReferenceKeys, secretMaxAge }, REFERENCE_KEYS)
  }

  await routeScope(app, { prefix, rateLimit: named(checked.rateLimit, `${path}-address`) }, async (scope) => {
    const decisionOf = auditDecisions(scope, {
      granted: 'guest_token.minted',
      refused: 'guest_token.refused',
      resourceType: 'guest_token',
      product: 'databrain'
    })
    const grants = requestSlot<CheckedGrant>(scope)
    const source = new TokenSource({
      upstream,
      basePath: pathname === '/' ? '' : pathname,
      apiKey,
      namespace: [scope.prefix + path, apiUrl],
      cache: checked.cache ? app.tokenStore.guestTokens : null,
      refreshAhead: checked.refreshAhead,
      now,
      log: app.log
    })
    await registerGuards(scope, options)

    scope.addHook('preHandler', function authorizeUser (request, _reply, done) {
      const decision = decisionOf(request)
      const users = signedUsers(request)
      decision.userId = users[0]?.sub ?? null
      decision.details['proxyKey'] = request.proxyKey?.id ?? null
      const noUser = request.userReference === null
        ? "the host's authorize function returned no user; the request contains no user reference"
        : undefined
      const granted = authorizeByHost(() => authorize(request), noUser)
      endHook(
        granted instanceof Promise
          ? granted.then((granted) => admit(request, users, granted))
          : admit(request, users, granted),
        done
      )
    })

    function admit (
      request: FastifyRequest,
      users: readonly SignedUser[],
      granted: GuestTokenGrant
    ): void | Promise<void> {
      const grant = checkedGrant(granted, users, checked)
      const { clientId, dataAppName, permissions = null } = grant.tokenRequest
      const decision = decisionOf(request)
      decision.userId = grant.user
      const { details } = decision
      details['clientId'] = clientId
      details['dataAppName'] = dataAppName
      details['permissions'] = permissions
      const checking = refuseRevokedGrant(app, grant.revocable)
      if (checking instanceof Promise) return checking.then(() => grants.set(request, grant))
      grants.set(request, grant)
    }

    const userLimit = named(checked.userRateLimit, `${path}-user`)
    await limitRate(
      scope,
      userLimit === false
        ? false
        : { keyGenerator: (request) => rateKeyOf(grants.need(request)), ...userLimit, hook: 'preHandler' }
    )

    scope.get(path, {
      schema: guestTokenSchema,
      // A HEAD request would mint a token.
      exposeHeadRoute: false,
      config: { gatehouse: { ...guards, ...requiredGuards(scope, options) } }
    }, sendToken)

    function sendToken (request: FastifyRequest, reply: FastifyReply): GuestTokenReply | Promise<GuestTokenReply> {
      const grant = grants.need(request)
      const issued = tokenFor(grant)
      return issued instanceof Promise
        ? issued.then((issued) => handOut(issued, grant, request, reply))
        : handOut(issued, grant, request, reply)
    }

    function handOut (
      { token, cached }: IssuedToken,
      grant: CheckedGrant,
      request: FastifyRequest,
      reply: FastifyReply
    ): GuestTokenReply | Promise<GuestTokenReply> {
      // A mint may take seconds, in which the grant may be revoked.
      const checking = cached ? undefined : refuseRevokedGrant(app, grant.revocable)
      if (checking instanceof Promise) return checking.then(() => replyWith(token, cached, request, reply))
      return replyWith(token, cached, request, reply)
    }

    function replyWith (token: string, cached: boolean, request: FastifyRequest, reply: FastifyReply): GuestTokenReply {
      const decision = decisionOf(request)
      decision.resourceId = sha256Hex(token).slice(0, 16)
      decision.details['cached'] = cached
      reply.header('cache-control', 'no-store')
      return { token }
    }

    function tokenFor ({ tokenRequest }: CheckedGrant): IssuedToken | Promise<IssuedToken> {
      const issued = source.get(tokenRequest)
      return errorStatus === 'product' && issued instanceof Promise ? issued.catch(throwAsDocumented) : issued
    }
  })
  if (renewal === null) return
  await renewalRoute(app, renewal, {
    prefix,
    now,
    isSubTenant: options.authorize === undefined,
    referencesOf: (scope) => referencesOf(scope, options)
  })
}

const plugin = fp(guestToken, { name: 'gatehouse-guest-token', fastify: '5.x' })

export default Object.assign(plugin, { identityGrants, pageConfig })
export type { IdentityGrantOptions, IdentityToken, IdentityUser } from '../../../plugins/identity-token/index.js'
export type { ProxyPageConfigOptions } from './page-config.js'
export type { HostDecision } from '../../../lib/authorize.js'
export type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
export type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
export type { UserReferenceClaims, UserReferenceOptions } from '../../../plugins/user-reference/index.js'
