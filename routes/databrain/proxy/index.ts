import type { Readable } from 'node:stream'

import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../../../plugins/audit-log/index.js'
import { InFlight } from '../../../plugins/connection-limit/in-flight.js'
import { rateKeyOf, refuseRevokedGrant } from '../../../plugins/embed-revocation.js'
import { INTERNAL_ERROR, TOO_MANY_CONNECTIONS } from '../../../lib/errors.js'
import { auditDecisions } from '../../../lib/decision-audit.js'
import { optionalUserGuards } from '../../../lib/guard/user-guards.js'
import { authorizeByHost } from '../../../lib/authorize.js'
import { limitRate, named } from '../../../lib/limits/rate-limit.js'
import { logUpstreamRefusal } from '../../../lib/refusal-log/index.js'
import { requestSlot } from '../../../lib/request-slot.js'
import { routeScope } from '../../../lib/http/route-scope.js'
import { RotatingSecret } from '../../../lib/secrets/secret-source.js'
import { signedUsers } from '../../../lib/signed-users.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { upstreamClient } from '../../../lib/upstream-client/index.js'
import { meteredUpstream } from '../../../lib/upstream-client/metered.js'
import { upstreamOutcome } from '../../../lib/upstream-client/refusal.js'
import { databrainProxySchemaOf } from '../../../schemas/databrain-proxy.js'
import { sha256Hex } from '../../../signing/digest.js'
import { authKeyCheck } from './auth-key.js'
import { componentCors } from './component-cors.js'
import { ForwardTrail } from './forward-trail.js'
import { forwarder, hasDisconnected } from './forwarder.js'
import { OnceAMinute } from './once-a-minute.js'
import { checkedOptions } from './options.js'
import type { CheckedOptions, DatabrainProxyOptions } from './options.js'
import { assertForwardable, refuseMinting, depthOf, pathBelow, queryOf, withoutReference } from './target.js'
import { identityGrant } from '../identity-grant.js'
import { checkedGrant } from '../guest-token/grant.js'
import type { CheckedGrant } from '../guest-token/grant.js'
import { pageConfig } from '../guest-token/page-config.js'
import type { ProxyPageConfig, ProxyPageConfigOptions } from '../guest-token/page-config.js'
import { checkedApiKey } from '../token-options.js'
import { TokenSource } from '../guest-token/token-source.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/identity-token/index.js'
export type {} from '../../../plugins/token-store/index.js'
export type {} from '../../../plugins/user-reference/index.js'

export { identityGrant, pageConfig }
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../../lib/secrets/secret-source.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { DatabrainProxyOptions, ProxyPageConfig, ProxyPageConfigOptions }

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * Registers a reverse proxy for DataBrain: the component of a page calls DataBrain through it, and never gets the guest
 * token. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(databrainProxy, {
 *   apiKey: process.env.DATABRAIN_API_KEY,
 *   dataAppName: 'sales',
 *   proxyKeys: [process.env.PROXY_KEY],
 *   authorize: (request) => request.session.user ? { clientId: request.session.user.tenant } : null
 * })
 */
const databrainProxy: FastifyPluginAsync<DatabrainProxyOptions> = async (app, pluginOptions) => {
  const options = checkedOptions(pluginOptions)
  const { prefix, rateLimit, userRateLimit, userConnections, bodyLimit, guards, now } = options
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)
  const keyOf = await authKeyCheck(options.proxyKeys, app.log, options.secretMaxAge)
  const source = await tokenSource(app, options)
  const droppedTokens = new OnceAMinute()
  const loggedRefusals = new OnceAMinute()

  await routeScope(
    app,
    { prefix, rateLimit: named(rateLimit, 'databrain-address'), cors: componentCors(options.cors) },
    async (scope) => {
      const depth = depthOf(scope.prefix)
      // Reads the address now, because a closed socket no longer has it.
      scope.addHook('onRequest', function readAddress ({ ip: _known }, _reply, done) {
        done()
      })
      const decisionOf = auditDecisions(scope, {
        granted: null,
        refused: 'databrain_proxy.refused',
        resourceType: 'guest_token',
        product: 'databrain_proxy',
        // A client that disconnects during a call ends the call; this is not a refusal.
        isRefused: ({ isForwarded, error }, request, reply) =>
          !isForwarded || (error !== null && !hasDisconnected(request, reply))
      })
      const trail = new ForwardTrail(scope, now)
      const grants = requestSlot<CheckedGrant>(scope)
      const forward = forwarder(scope, options)
      const inFlight = new InFlight()
      scope.addHook('onClose', async () => trail.flush())

      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', function passThrough (_request, payload, done) {
        if (isBeingRead(payload)) {
          done(
            new INTERNAL_ERROR({ reason: 'a preParsing hook of the host reads the body, so it cannot be forwarded' })
          )
        } else done(null, payload)
      })

      scope.addHook('onRequest', async function checkCall (request, reply) {
        decisionOf(request).details = { proxyKey: await keyOf(request) }
        refuseMinting(pathBelow(depth, request.raw.url ?? ''))
        assertForwardable(request, reply, bodyLimit)
      })
      scope.addHook('preHandler', async function authorizeUser (request) {
        const decision = decisionOf(request)
        decision.userId = signedUsers(request)[0]?.sub ?? null
        const grant = checkedGrant(
          await authorizeByHost(() => options.authorize(request)),
          signedUsers(request),
          options
        )
        const { clientId, dataAppName, permissions } = grant.tokenRequest
        decision.userId = grant.user
        decision.details = { ...decision.details, clientId, dataAppName, permissions: permissions ?? null }
        await refuseRevokedGrant(app, grant.revocable)
        grants.set(request, grant)
      })
      const userLimit = named(userRateLimit, 'databrain-user')
      await limitRate(
        scope,
        userLimit === false
          ? false
          : { keyGenerator: (request) => rateKeyOf(grants.need(request)), ...userLimit, hook: 'preHandler' }
      )

      for (const method of METHODS) {
        scope.route({
          method,
          url: '/*',
          schema: databrainProxySchemaOf(method),
          bodyLimit,
          // METHODS contains HEAD.
          exposeHeadRoute: false,
          // Disables fastify-raw-body, which would read the body before it is forwarded.
          config: {
            ...{ rawBody: false },
            gatehouse: { ...optionalUserGuards(scope), ...guards }
          },
          handler: forwardCall
        })
      }

      async function forwardCall (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
        const grant = grants.need(request)
        const { tokenRequest, user: userId } = grant
        if (!inFlight.enter(rateKeyOf(grants.need(request)), userConnections, request, reply)) {
          throw new TOO_MANY_CONNECTIONS({ retryAfterSeconds: 1, reason: 'the user has too many calls in flight' })
        }
        const { token, cached } = await source.get(tokenRequest)
        // A mint may take seconds, in which the grant may be revoked.
        if (!cached) await refuseRevokedGrant(app, grant.revocable)
        const decision = decisionOf(request)
        const target = request.raw.url ?? ''
        await forward(request, reply, {
          path: pathBelow(depth, target),
          // Without the userReference guard a "ref" parameter belongs to the component.
          query: guards.userReference === false ? queryOf(target) : withoutReference(queryOf(target)),
          token,
          onStatus (statusCode) {
            decision.isForwarded = true
            trail.record(request, {
              userId,
              digest: sha256Hex(token).slice(0, 16),
              details: { ...decision.details, cached }
            })
            return statusCode === 401 && droppedTokens.isDue(tokenRequest.clientId)
              ? source.forget(tokenRequest, token)
              : undefined
          },
          onRefusal (refusal) {
            const { upstreamStatus } = refusal
            if (loggedRefusals.isDue(`${upstreamStatus} ${tokenRequest.clientId}`)) logUpstreamRefusal(reply, refusal)
            // Other statuses are errors of the request and not refusals of the user.
            if (upstreamStatus !== 401 && upstreamStatus !== 403) return
            const changes = { ...decision.details, ...upstreamOutcome(refusal), outcome: 'FORBIDDEN' }
            scope.audit({
              action: 'databrain_proxy.refused',
              request,
              userId,
              resourceType: 'guest_token',
              changes,
              refusal: true
            })
          }
        })
        return reply
      }
    }
  )
}

/** Creates the source of guest tokens. It uses the guest-token route's cache under a separate namespace. */
async function tokenSource (app: FastifyInstance, options: CheckedOptions): Promise<TokenSource> {
  const { apiUrl, prefix, cache, refreshAhead, now, connectTimeout, timeout, retries, ca } = options
  const apiKey = await RotatingSecret.open(options.apiKey, {
    name: 'databrain-proxy: "apiKey"',
    check: (key) => checkedApiKey('databrain-proxy', key),
    log: app.log,
    maxAge: options.secretMaxAge
  })
  const { origin, pathname } = new URL(apiUrl)
  const upstream = meteredUpstream(app, 'databrain', upstreamClient({ origin, connectTimeout, timeout, retries, ca }))
  app.addHook('onClose', () => upstream.close())
  return new TokenSource({
    upstream,
    basePath: pathname === '/' ? '' : pathname,
    apiKey,
    namespace: ['databrain-proxy', app.prefix + prefix, apiUrl],
    cache: cache ? app.tokenStore.guestTokens : null,
    refreshAhead,
    now,
    log: app.log
  })
}

/** Returns whether another consumer has read from the stream or has resumed it. */
function isBeingRead (payload: NodeJS.ReadableStream): boolean {
  const { readableFlowing, readableDidRead } = payload as Readable
  return readableDidRead || readableFlowing === true
}

const plugin = fp(databrainProxy, { name: 'gatehouse-databrain-proxy', fastify: '5.x' })

export default Object.assign(plugin, { identityGrant })
export type { IdentityGrantOptions, IdentityToken, IdentityUser } from '../../../plugins/identity-token/index.js'
export type { HostDecision } from '../../../lib/authorize.js'
export type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
export type {
  GuestTokenGrant, GuestTokenOptions, PageConfigOptions, RenewalGrant,
  RenewalOptions
} from '../guest-token/index.js'
export type { DatabrainTokenOptions } from '../token-options.js'
export type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
export type { UserReferenceClaims, UserReferenceOptions } from '../../../plugins/user-reference/index.js'
