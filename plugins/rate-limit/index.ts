import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { hasLeft, requestNetwork } from '../../lib/http/client-address.js'
import { INTERNAL_ERROR, INVALID_OPTIONS } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertNonEmpty, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import { areLimits, checkLimits, COUNTED, limitsAny, quotasOf } from './limits.js'
import type { Counted, Quota, Quotas, RequestLimit, RequestLimits } from './limits.js'
import { routeKey } from '../../lib/limits/route-key.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { RequestLimit, RequestLimits }

export type IdentifyRequest = (request: FastifyRequest) => string | null | Promise<string | null>

export interface RequestRateOptions extends RequestLimits {
  /** Each client address (IPv6: its /64) on all guarded routes together. Default: 100 a minute. */
  address?: RequestLimit | false
  /** Each user on all guarded routes together. Default: no limit. */
  user?: RequestLimit | false
  /** Each key on all guarded routes together. Default: no limit. */
  key?: RequestLimit | false
  /** The user of a request, `null` for none, who is not limited as one. Default: whom a user reference names, else the administrator. */
  userOf?: IdentifyRequest
  /** The key of a request, or a name for it, `null` for none. Default: the proxy key's id, else the source of the pipeline key. */
  keyOf?: IdentifyRequest
  /** Whether instances count together where the token store lets them (Redis), which asks it for every request. Default: `true`. */
  shared?: boolean
  /** Keeps the counts of registrations under one prefix apart in Redis. Default: `'route'`. */
  name?: string
  /** Guard every route of this scope that does not say `rateLimit: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Limit the rate of requests: `true` as the plugin says; a limit that the route names replaces the plugin's and counts for this route alone. */
    rateLimit?: boolean | RequestLimits
  }
}

/** What is counted next for a request. */
interface Due { readonly name: string, readonly quota: Quota }

/** Who it is, by whichever of the suite's guards has found out. */
interface Identified {
  readonly userReference?: { readonly sub: string } | null
  readonly admin?: { readonly sub: string } | null
  readonly proxyKey?: { readonly id: string } | null
  readonly source?: { readonly id: string } | null
}

const KNOWN: KnownOptions<RequestRateOptions> = {
  address: true, user: true, key: true, userOf: true, keyOf: true, shared: true, name: true, global: true
}
const HEADERS = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'] as const

const requestRate: FastifyPluginAsync<RequestRateOptions> = async (app, options) => {
  refuseUnknownOptions('rateLimit', options, KNOWN)
  const { address = { max: 100 }, user, key, name = 'route', shared = true, global = false } = options
  const identify = { user: options.userOf ?? userOf, key: options.keyOf ?? keyOf }
  const limits: RequestLimits = Object.fromEntries(Object.entries({ address, user, key }).filter(([, limit]) => limit !== undefined))
  checkLimits(limits)
  checkOptions(options)

  const byPlugin = quotasOf({}, limits)
  if (global && !limitsAny(byPlugin)) throw new INVALID_OPTIONS('rate-limit: "global" needs a limit: give "address", "user" or "key"')
  const ruleFor = defineGuard(app, {
    name: 'rateLimit',
    fallback: global,
    accepts: (value) => value === false || (value === true ? limitsAny(byPlugin) : areLimits(value) && limitsAny(quotasOf(value, limits))),
    expected: 'false, true where the plugin has a limit, or { address, user, key }, each false or { max, timeWindow } and one of them a limit',
    preflights: 'check'
  })
  const byRoute = new WeakMap<RequestLimits, Quotas>()
  const due = requestSlot<Due>(app)
  const dueOf = (request: FastifyRequest): Due => {
    const next = due.get(request)
    if (next === null) throw new INTERNAL_ERROR({ reason: 'rate-limit: nothing to count' })
    return next
  }
  const check = Object.fromEntries(await Promise.all(COUNTED.map(async (counted) => [counted, await rateCheck(app, namedLimit(counted))]))) as
    Record<Counted, Awaited<ReturnType<typeof rateCheck>>>

  function namedLimit (counted: Counted) {
    const settings = named({
      shared,
      keyGenerator: (request) => dueOf(request).name,
      max: (request) => dueOf(request).quota.max,
      timeWindow: (request) => dueOf(request).quota.timeWindow
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
    // On a Unix socket all clients count as one.
    if (quota === null || (client === '' && hasLeft(request))) return done()
    settle(count('address', quota, client, request, reply), reply, done)
  })

  // As late as this, so that every guard has said who it is, in whatever order they were registered.
  app.addHook('preHandler', function limitIdentified (request, reply, done) {
    const quotas = quotasFor(request)
    if (quotas === null || (quotas.user === null && quotas.key === null)) return done()
    settle(countIdentified(quotas, request, reply), reply, done)
  })

  async function countIdentified (quotas: Quotas, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    for (const counted of ['key', 'user'] as const) {
      const quota = quotas[counted]
      if (quota === null) continue
      const who = await identify[counted](request)
      if (who === null || who === undefined) continue
      if (typeof who !== 'string' || who === '') throw new INTERNAL_ERROR({ reason: `rate-limit: "${counted}Of" must return a text or null` })
      await count(counted, quota, who, request, reply)
    }
  }

  /** Rejects when it is too much. The headers tell of the limit that has least left. */
  async function count (counted: Counted, quota: Quota, who: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const before = HEADERS.map((header) => reply.getHeader(header))
    // No route has a NUL in it.
    due.set(request, { name: `${quota.own ? routeKey(request) : ''}\0${who}`, quota })
    await check[counted].call(app, request, reply)
    const wasLeft = before[1]
    if (wasLeft === undefined || Number(wasLeft) >= Number(reply.getHeader('ratelimit-remaining'))) return
    for (const [at, header] of HEADERS.entries()) reply.header(header, before[at])
  }
}

function settle (counting: Promise<void>, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  counting.then(() => done(), (error: unknown) => { refuse(reply, toPublicError(error)) })
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
    if (value !== undefined && typeof value !== 'function') throw new INVALID_OPTIONS(`rate-limit: "${option}" must be a function of the request`)
  }
  for (const [option, value] of Object.entries({ shared, global })) {
    if (typeof value !== 'boolean') throw new INVALID_OPTIONS(`rate-limit: "${option}" must be true or false`)
  }
  assertNonEmpty('rate-limit', 'name', name)
}

export default fp(requestRate, { name: 'gatehouse-rate-limit', fastify: '5.x' })
