import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'

import { publishAllowed } from '../../lib/channels.js'
import { hasLeft, requestNetwork } from '../../lib/http/client-address.js'
import { InFlight } from './in-flight.js'
import { addressList, limitSockets } from './sockets.js'
import { INVALID_OPTIONS, TOO_MANY_CONNECTIONS } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import { refuse } from '../../lib/refuse.js'
import { routeKey } from '../../lib/limits/route-key.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export interface ConnectionLimitOptions {
  /**
   * Maximum requests in flight per client address (IPv6: per /64), over all guarded routes; further requests are 429
   * `TOO_MANY_CONNECTIONS`. Default: 10.
   */
  max?: number
  /**
   * Maximum open sockets per peer address (IPv6: per /64), for the whole server; a further socket gets 429 and is
   * closed before it is read. `false` disables the limit. Default: 100, or `false` if the app trusts a proxy, which
   * shares its sockets among all clients.
   */
  sockets?: number | false
  /** Addresses and networks of peers whose sockets are not counted, such as a load balancer. Default: loopback. */
  exemptPeers?: readonly string[]
  /** Guards every route of this scope that does not set `connectionLimit: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /**
     * Limits the requests in flight per client address: `true` uses the plugin's `max`, a number counts only this
     * route.
     */
    connectionLimit?: boolean | number
  }
}

const KNOWN: KnownOptions<ConnectionLimitOptions> = { max: true, sockets: true, exemptPeers: true, global: true }
const assertOption: AssertOption = optionAssertion('connection-limit')
const LOOPBACK = ['127.0.0.0/8', '::1']

/**
 * Limits the requests in flight per client address on guarded routes, and the open sockets per peer address of the
 * server. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(connectionLimit, { max: 10, global: true })
 */
const connectionLimit: FastifyPluginAsync<ConnectionLimitOptions> = async (app, options) => {
  refuseUnknownOptions('connectionLimit', options, KNOWN)
  const { max = 10, global = false } = options
  assertWholeNumber('connection-limit', 'max', max, { unit: 'requests in flight' })
  assertBoolean('connection-limit', 'global', global)
  registerSocketLimit(app, options)

  const ruleFor = defineGuard(app, {
    name: 'connectionLimit',
    fallback: global,
    accepts: (value) => typeof value === 'boolean' || isCount(value),
    expected: 'true, false or a positive integer',
    preflights: 'check'
  })
  const inFlight = new InFlight()

  app.addHook('onRequest', function checkConnections (request, reply, done) {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false) return done()
    const client = requestNetwork(request)
    // All clients of a Unix socket count as one client.
    if (
      (client === '' && hasLeft(request)) ||
      inFlight.enter(nameOf(client, rule, request), rule === true ? max : rule, request, reply)
    ) {
      publishAllowed(request, 'connectionLimit')
      return done()
    }
    refuse(
      reply,
      new TOO_MANY_CONNECTIONS({ retryAfterSeconds: 1, reason: 'the address has too many requests in flight' }),
      'connectionLimit'
    )
  })
}

/** Returns the name to count: a route with its own number is counted separately. */
function nameOf (client: string, rule: true | number, request: FastifyRequest): string {
  return rule === true ? client : `${client} ${routeKey(request)}`
}

function registerSocketLimit (app: FastifyInstance, { sockets, exemptPeers }: ConnectionLimitOptions): void {
  assertOption(
    sockets === undefined || sockets === false || isCount(sockets),
    'sockets',
    'false or a whole number of open sockets, 1 or more',
    sockets
  )
  assertOption(
    exemptPeers === undefined || Array.isArray(exemptPeers),
    'exemptPeers',
    'a list of addresses and networks such as 10.0.0.0/8',
    exemptPeers
  )
  const exempt = addressList(exemptPeers ?? LOOPBACK)
  // Fastify decorates requests with "ips" if the app trusts a proxy.
  const trustsProxy = app.hasRequestDecorator('ips')
  if (sockets === false || (sockets === undefined && trustsProxy)) return
  if (trustsProxy && exemptPeers === undefined) {
    throw new INVALID_OPTIONS(
      'connection-limit: "sockets" would count a trusted proxy as one client; ' +
        'list the proxies in "exemptPeers", or remove "sockets"'
    )
  }
  const cap = limitSockets(app.server, sockets ?? 100, exempt)
  if (cap !== null) {
    app.addHook('onClose', async function endCap () {
      cap.end()
    })
  } else if (sockets !== undefined) {
    throw new INVALID_OPTIONS(
      'connection-limit: another registration limits the sockets of this server; set "sockets" in one registration only'
    )
  }
}

function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

export default fp(connectionLimit, { name: 'gatehouse-connection-limit', fastify: '5.x' })
