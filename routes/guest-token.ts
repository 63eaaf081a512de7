import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import auditLog from '../plugins/audit-log.js'
import { auditDecisions } from '../plugins/decision-audit.js'
import { FORBIDDEN, GatehouseError, INTERNAL_ERROR, INVALID_OPTIONS } from '../plugins/errors.js'
import { hasGuard } from '../plugins/guard.js'
import { askHost } from '../plugins/host-decision.js'
import proxyKey from '../plugins/proxy-key.js'
import { limitRate, named } from '../plugins/rate-limit.js'
import { requestSlot } from '../plugins/request-slot.js'
import { routeScope } from '../plugins/route-scope.js'
import tokenStore from '../plugins/token-store/index.js'
import { upstreamClient } from '../plugins/upstream-client.js'
import userReference from '../plugins/user-reference.js'
import { guestTokenSchema } from '../schemas/guest-token.js'
import { sha256Hex } from '../signing/digest.js'
import { clientIdFault } from './guest-token/client-id.js'
import { checkedOptions, isLife } from './guest-token/options.js'
import type { GuestTokenGrant, GuestTokenOptions } from './guest-token/options.js'
import { pageConfig } from './guest-token/page-config.js'
import type { PageConfig, PageConfigOptions } from './guest-token/page-config.js'
import { TokenSource } from './guest-token/token-source.js'
import type { TokenRequest } from './guest-token/token-source.js'

export { pageConfig }
export type { GuestTokenGrant, GuestTokenOptions, PageConfig, PageConfigOptions }

const GRANT_MEMBERS = new Set(['clientId', 'params', 'permissions', 'dataAppName', 'expiryTime'])

/** The proxy-authentication endpoint of DataBrain: its servers call it for a guest token of the user who looks at a page. */
const guestToken: FastifyPluginAsync<GuestTokenOptions> = async (app, options) => {
  const { path, apiKey, apiUrl, dataAppName, authorize = byReference, allowClientId, errorStatus, expiryTime, guards, now, ...rest } = checkedOptions(options)
  const { userReferenceKeys, prefix = '', connectTimeout, timeout, retries, ca } = options
  const { origin, pathname } = new URL(apiUrl)
  const upstream = upstreamClient({ origin, connectTimeout, timeout, retries, ca })
  app.addHook('onClose', () => upstream.close())
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog)
  if (userReferenceKeys !== undefined && !app.hasDecorator('userReference')) await app.register(userReference, { keys: userReferenceKeys })

  await routeScope(app, { prefix, rateLimit: named(rest.addressRateLimit, `${path}-address`) }, async (scope) => {
    const decisionOf = auditDecisions(scope, { granted: 'guest_token.minted', refused: 'guest_token.refused', resourceType: 'guest_token' })
    const grants = requestSlot<TokenRequest>(scope)
    const source = new TokenSource({
      upstream,
      basePath: pathname === '/' ? '' : pathname,
      apiKey,
      namespace: [scope.prefix + path, apiUrl, apiKey],
      cache: rest.cache ? app.tokenStore.guestTokens : null,
      refreshAhead: rest.refreshAhead,
      now,
      log: app.log
    })
    await registerGuards(scope, options)

    scope.addHook('preHandler', async function authorizeUser (request) {
      const decision = decisionOf(request)
      decision.userId = request.userReference?.sub ?? null
      decision.details = { proxyKey: request.proxyKey?.id ?? null }
      const grant = checkedGrant(await askHost(() => authorize(request)))
      decision.userId = grant.clientId
      decision.details = { ...decision.details, dataAppName: grant.dataAppName, permissions: grant.permissions ?? null }
      grants.set(request, grant)
    })
    const userLimit = named(rest.rateLimit, `${path}-user`)
    await limitRate(scope, userLimit === false ? false : { keyGenerator: clientOf, ...userLimit, hook: 'preHandler' })

    scope.get(path, {
      schema: guestTokenSchema,
      // A HEAD would mint like a GET.
      exposeHeadRoute: false,
      config: { gatehouse: { ...guards, ...requiredGuards(scope, options) } }
    }, answerToken)

    async function answerToken (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const { token, cached } = await source.get(grantOf(request)).catch(asDocumented)
      const decision = decisionOf(request)
      decision.resourceId = sha256Hex(token).slice(0, 16)
      decision.details = { ...decision.details, cached }
      return reply.header('Cache-Control', 'no-store').send({ token })
    }

    function clientOf (request: FastifyRequest): string {
      return grantOf(request).clientId
    }

    function grantOf (request: FastifyRequest): TokenRequest {
      const grant = grants.get(request)
      if (grant === null) throw new INTERNAL_ERROR({ reason: 'the request was not authorized' })
      return grant
    }
  })

  function checkedGrant (grant: GuestTokenGrant): TokenRequest {
    const { clientId, params, permissions } = grant
    const fault = clientIdFault(clientId)
    if (fault !== null && !(typeof clientId === 'string' && allowClientId(clientId) === true)) throw new FORBIDDEN({ reason: `the client id ${fault}` })
    const wanted = { clientId, dataAppName: grant.dataAppName ?? dataAppName, params, permissions, expiryTime: grant.expiryTime ?? expiryTime }
    // A misspelt filter that is passed over would show the user everything.
    const isKnown = Object.keys(grant).every((name) => GRANT_MEMBERS.has(name))
    if (!isKnown || !isObject(params) || !isObject(permissions) || typeof wanted.dataAppName !== 'string' || !isLife(wanted.expiryTime)) {
      throw new INTERNAL_ERROR({ reason: 'guest-token: "authorize" must return { clientId, params?, permissions?, dataAppName?, expiryTime? }' })
    }
    return wanted
  }

  function asDocumented (error: unknown): never {
    const isUpstream = error instanceof GatehouseError && error.statusCode >= 502
    if (errorStatus === 'gateway' || !isUpstream) throw error
    throw new INTERNAL_ERROR({ cause: error.cause ?? error, ...error.reason === undefined ? {} : { reason: error.reason } })
  }
}

async function registerGuards (scope: FastifyInstance, { authorize, proxyKeys, userReferenceKeys }: GuestTokenOptions): Promise<void> {
  if (proxyKeys !== undefined) await scope.register(proxyKey, { keys: proxyKeys })
  if (!hasGuard(scope, 'proxyKey')) throw new INVALID_OPTIONS('guest-token: "proxyKeys" is missing; make one with `npx fastify-gatehouse generate-key`')
  // The app may have references of other keys than this route's.
  if (userReferenceKeys !== undefined) await scope.register(userReference, { keys: userReferenceKeys })
  if (authorize === undefined && !hasGuard(scope, 'userReference')) {
    throw new INVALID_OPTIONS('guest-token: who the user is must be known: give "authorize" or "userReferenceKeys", or register the userReference plugin')
  }
}

function requiredGuards (scope: FastifyInstance, { authorize, guards }: GuestTokenOptions) {
  if (authorize === undefined) return { proxyKey: true, userReference: true } as const
  // A host's own function may look at a reference, or at something else where there is none.
  return hasGuard(scope, 'userReference') ? { proxyKey: true, userReference: guards?.userReference ?? 'optional' } as const : { proxyKey: true }
}

function byReference ({ userReference }: FastifyRequest): GuestTokenGrant | null {
  return userReference === null ? null : { clientId: userReference.sub }
}

function isObject (value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

export default Object.assign(fp(guestToken, { name: 'gatehouse-guest-token', fastify: '5.x' }), { pageConfig })
