import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { publishAllowed } from '../../lib/channels.js'
import { hasLeft, requestNetwork } from '../../lib/http/client-address.js'
import { INTERNAL_ERROR, INVALID_OPTIONS } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertBoolean, assertNonEmpty, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import { areLimits, checkLimits, COUNTED, limitsAny, quotasOf } from './limits.js'
import type { Counted, Quota, Quotas, RequestLimit, RequestLimits } from './limits.js'
import { routeKey } from '../../lib/limits/route-key.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { RequestLimit, RequestLimits }

export type IdentifyRequest = (request: FastifyRequest) => string | null | Promise<string | null>

export interface RequestRateOptions extends RequestLimits {
  /** Limit per client address (IPv6: per /64), over all guarded routes. Default: 100 per minute. */
  address?: RequestLimit | false
  /** Limit per user, over all guarded routes. Default: no limit. */
  user?: RequestLimit | false
  /** Limit per key, over all guarded routes. Default: no limit. */
  key?: RequestLimit | false
  /**
   * Returns the user of a request; `null` for no user, without a limit. Default: user reference, else administrator.
   */
  userOf?: IdentifyRequest
  /**
   * Returns the key of a request or its name; `null` for no key. Default: id of the proxy key, else the key's source.
   */
  keyOf?: IdentifyRequest
  /**
   * Shares the counts of all instances if the token store supports it (Redis), with a call per request. Default:
   * `true`.
   */
  shared?: boolean
  /** Name of the counts in Redis. Set different names for registrations under the same prefix. Default: `'route'`. */
  name?: string
  /** Guards every route of this scope that does not set `rateLimit: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /**
     * Limits the rate of requests. `true` uses the limits of the plugin; a limit of the route replaces the plugin's and
     * counts only this route.
     */
    rateLimit?: boolean | RequestLimits
  }
}

/** The count that the next check of a request increments. */
interface NextCount {
  readonly name: string
  readonly quota: Quota
}

/** The properties that the suite's guards set on a request. */
interface Identified {
  readonly userReference?: { readonly sub: string } | null
  readonly admin?: { readonly sub: string } | null
  readonly proxyKey?: { readonly id: string } | null
  readonly source?: { readonly id: string } | null
}

const assertOption: AssertOption = optionAssertion('rate-limit')
const KNOWN: KnownOptions<RequestRateOptions> = {
  address: true,
  user: true,
  key: true,
  userOf: true,
  keyOf: true,
  shared: true,
  name: true,
  global: true
}
const HEADERS = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'] as const

/**
 * Limits the rate of requests per client address, per user and per key. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(rateLimit, { address: { max: 100, timeWindow: 60_000 }, global: true })
 */
const requestRate: FastifyPluginAsync<RequestRateOptions> = async (app, options) => {
  refuseUnknownOptions('rateLimit', options, KNOWN)
  const { address = { max: 100 }, user, key, name = 'route', shared = true, global = false } = options
  const identify = { user: options.userOf ?? userOf, key: options.keyOf ?? keyOf }
  const limits: RequestLimits = Object.fromEntries(
    Object.entries({ address, user, key }).filter(([, limit]) => limit !== undefined)
  )
  checkLimits(limits)
  checkOptions(options)

  const byPlugin = quotasOf({}, limits)
  if (global && !limitsAny(byPlugin)) {
    throw new INVALID_OPTIONS('rate-limit: "global" needs a limit: set "address", "user" or "key"')
  }
  const ruleFor = defineGuard(app, {
    name: 'rateLimit',
    fallback: global,
    accepts: (value) =>
      value === false ||
      (value === true ? limitsAny(byPlugin) : areLimits(value) && limitsAny(quotasOf(value, limits))),
    expected: 'false, true if the plugin has a limit, or { address, user, key }, ' +
      'each false or { max, timeWindow } and at least one of them a limit',
    preflights: 'check'
  })
  const byRoute = new WeakMap<RequestLimits, Quotas>()
  const nextCounts = requestSlot<NextCount>(app)
  const nextCountOf = (request: FastifyRequest): NextCount => {
    const next = nextCounts.get(request)
    if (next === null) throw new INTERNAL_ERROR({ reason: 'rate-limit: nothing to count' })
    return next
  }
  const check = Object.fromEntries(
    await Promise.all(COUNTED.map(async (counted) => [counted, await rateCheck(app, namedLimit(counted))]))
  ) as Record<Counted, Awaited<ReturnType<typeof rateCheck>>>

  function namedLimit (counted: Counted) {
    const settings = named({
      shared,
      keyGenerator: (request) => nextCountOf(request).name,
      max: (request) => nextCountOf(request).quota.max,
      timeWindow: (request) => nextCountOf(request).quota.timeWindow
    }, `${name}-${counted}`)
    if (settings === false) throw new INTERNAL_ERROR()
    return settings
  }

  function quotasFor (request: FastifyRequest): Quotas | null {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false) return null
    if (rule === true) return byPlugin
    let quotas = byRoute.get(rule)
    if (quotas === undefined) byRoute.set(rule, quotas = quotasOf(rule, limits))
    return quotas
  }

  app.addHook('onRequest', function limitAddress (request, reply, done) {
    const quota = quotasFor(request)?.address ?? null
    const client = quota === null ? '' : requestNetwork(request)
    // All clients of a Unix socket count as one client.
    if (quota === null || (client === '' && hasLeft(request))) return done()
    settle(count('address', quota, client, request, reply), reply, done)
  })

  // In preHandler, after all guards have identified the client, in any order of registration.
  app.addHook('preHandler', function limitIdentified (request, reply, done) {
    const quotas = quotasFor(request)
    if (quotas === null || (quotas.user === null && quotas.key === null)) return done()
    settle(countIdentified(quotas, request, reply), reply, done)
  })

  async function countIdentified (quotas: Quotas, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    for (const counted of ['key', 'user'] as const) {
      const quota = quotas[counted]
      if (quota === null) continue
      const name = await identify[counted](request)
      if (name === null || name === undefined) continue
      if (typeof name !== 'string' || name === '') {
        throw new INTERNAL_ERROR({ reason: `rate-limit: "${counted}Of" must return a non-empty string or null` })
      }
      await count(counted, quota, name, request, reply)
    }
  }

  /** Rejects above the limit. The headers describe the limit with the fewest remaining requests. */
  async function count (
    counted: Counted,
    quota: Quota,
    name: string,
    request: FastifyRequest,
    reply: FastifyReply
  ): Promise<void> {
    const before = HEADERS.map((header) => reply.getHeader(header))
    // NUL separates the parts, because no route contains it.
    nextCounts.set(request, { name: `${quota.isRouteLimit ? routeKey(request) : ''}\0${name}`, quota })
    await check[counted].call(app, request, reply)
    const wasLeft = before[1]
    if (wasLeft === undefined || Number(wasLeft) >= Number(reply.getHeader('ratelimit-remaining'))) return
    for (const [at, header] of HEADERS.entries()) reply.header(header, before[at])
  }
}

function settle (counting: Promise<void>, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  counting.then(
    () => {
      publishAllowed(reply.request, 'rateLimit')
      done()
    },
    (error: unknown) => {
      refuse(reply, toPublicError(error), 'rateLimit')
    }
  )
}

function userOf (request: FastifyRequest): string | null {
  const { userReference, admin } = request as Identified
  if (userReference !== null && userReference !== undefined) return `user:${userReference.sub}`
  return admin === null || admin === undefined ? null : `admin:${admin.sub}`
}

function keyOf (request: FastifyRequest): string | null {
  const { proxyKey, source } = request as Identified
  if (proxyKey !== null && proxyKey !== undefined) return `proxy:${proxyKey.id}`
  return source === null || source === undefined ? null : `source:${source.id}`
}

function checkOptions ({ userOf, keyOf, shared = true, name = 'route', global = false }: RequestRateOptions): void {
  for (const [option, value] of Object.entries({ userOf, keyOf })) {
    assertOption(value === undefined || typeof value === 'function', option, 'a function of the request', value)
  }
  assertBoolean('rate-limit', 'shared', shared)
  assertBoolean('rate-limit', 'global', global)
  assertNonEmpty('rate-limit', 'name', name)
}

export default fp(requestRate, { name: 'gatehouse-rate-limit', fastify: '5.x' })
