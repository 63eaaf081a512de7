import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'

import { hasLeft, requestNetwork } from '../../lib/http/client-address.js'
import { InFlight } from './in-flight.js'
import { addressList, capSockets } from './sockets.js'
import { INVALID_OPTIONS, TOO_MANY_CONNECTIONS } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { refuse } from '../../lib/refuse.js'
import { routeKey } from '../../lib/limits/route-key.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export interface ConnectionLimitOptions {
  /**
   * Requests that one client address (IPv6: its /64) may have in flight on the guarded routes together; beyond them 429
   * `TOO_MANY_CONNECTIONS`. Default: 10.
   */
  max?: number
  /**
   * Sockets that one peer address (IPv6: its /64) may have open to the server, whatever scope the plugin is registered in; one more is answered
   * 429 and closed before it is read. `false`: any number. Default: 100, and `false` where the app trusts a proxy, whose sockets are everyone's.
   */
  sockets?: number | false
  /** Peers whose sockets are not counted, such as a balancer's: addresses and networks. Default: the loopback. */
  exemptPeers?: readonly string[]
  /** Guard every route of this scope that does not say `connectionLimit: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Limit the requests in flight of each client address: `true` by the plugin's `max`, a number for this route alone. */
    connectionLimit?: boolean | number
  }
}

const KNOWN: KnownOptions<ConnectionLimitOptions> = { max: true, sockets: true, exemptPeers: true, global: true }
const LOOPBACK = ['127.0.0.0/8', '::1']

const connectionLimit: FastifyPluginAsync<ConnectionLimitOptions> = async (app, options) => {
  refuseUnknownOptions('connectionLimit', options, KNOWN)
  const { max = 10, global = false } = options
  if (!isCount(max)) throw new INVALID_OPTIONS('connection-limit: "max" must be a positive integer, requests in flight of one address')
  if (typeof global !== 'boolean') throw new INVALID_OPTIONS('connection-limit: "global" must be true or false')
  limitSockets(app, options)

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
    // On a Unix socket all clients count as one.
    if ((client === '' && hasLeft(request)) || inFlight.enter(nameOf(client, rule, request), rule === true ? max : rule, request, reply)) return done()
    refuse(reply, new TOO_MANY_CONNECTIONS({ retryAfterSeconds: 1, reason: 'requests in flight of the address' }))
  })
}

/** A route with a number of its own counts for itself. */
function nameOf (client: string, rule: true | number, request: FastifyRequest): string {
  return rule === true ? client : `${client} ${routeKey(request)}`
}

function limitSockets (app: FastifyInstance, { sockets, exemptPeers }: ConnectionLimitOptions): void {
  if (sockets !== undefined && sockets !== false && !isCount(sockets)) {
    throw new INVALID_OPTIONS('connection-limit: "sockets" must be a positive integer, open sockets of one peer, or false')
  }
  if (exemptPeers !== undefined && !Array.isArray(exemptPeers)) {
    throw new INVALID_OPTIONS('connection-limit: "exemptPeers" must be a list of addresses and networks such as 10.0.0.0/8')
  }
  const exempt = addressList(exemptPeers ?? LOOPBACK)
  // Requests have "ips" where the app has been told of proxies.
  const trustsProxy = app.hasRequestDecorator('ips')
  if (sockets === false || (sockets === undefined && trustsProxy)) return
  if (trustsProxy && exemptPeers === undefined) {
    throw new INVALID_OPTIONS('connection-limit: "sockets" would count a trusted proxy\'s as one client\'s; name the proxies in "exemptPeers", or leave "sockets" out')
  }
  const cap = capSockets(app.server, sockets ?? 100, exempt)
  if (cap !== null) app.addHook('onClose', async function endCap () { cap.end() })
  else if (sockets !== undefined) throw new INVALID_OPTIONS('connection-limit: "sockets" is set by another registration; the server has one limit')
}

function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

export default fp(connectionLimit, { name: 'gatehouse-connection-limit', fastify: '5.x' })
