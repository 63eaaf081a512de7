import { BlockList, isIP } from 'node:net'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { plainAddress } from '../lib/http/client-address.js'
import { HTTPS_REQUIRED, INVALID_OPTIONS } from '../lib/errors.js'
import { defineGuard } from '../lib/guard/index.js'
import { refuseUnknownMembers, refuseUnknownOptions } from '../lib/options.js'
import type { KnownOptions } from '../lib/options.js'
import { refuse } from '../lib/refuse.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'

export interface HstsOptions {
  /** Seconds for which browsers go to this host by HTTPS alone; 0 makes them forget it. Default: 15 552 000 (180 days). */
  maxAgeSeconds?: number
  /** Its subdomains too: every one of them needs HTTPS then. Default: `false`. */
  includeSubDomains?: boolean
  /** Agree to be built into browsers, which takes months to undo. Needs `includeSubDomains` and a year. Default: `false`. */
  preload?: boolean
}

export interface RequireHttpsOptions {
  /** `Strict-Transport-Security` on the answers of guarded routes that go out by HTTPS; `false`: none. Default: 180 days, this host alone. */
  hsts?: HstsOptions | false
  /** Let plain HTTP pass that comes straight from this machine, without a sign of a proxy between. Default: `true`. */
  allowLoopback?: boolean
  /** Guard every route of this scope that does not say `https: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Refuse requests that did not come by TLS. */
    https?: boolean
  }
}

const KNOWN: KnownOptions<RequireHttpsOptions> = { hsts: true, allowLoopback: true, global: true }
const KNOWN_OF_HSTS: KnownOptions<HstsOptions> = { maxAgeSeconds: true, includeSubDomains: true, preload: true }
const YEAR = 31_536_000
const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
/** What proxies add. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'via']

const requireHttps: FastifyPluginAsync<RequireHttpsOptions> = async (app, options) => {
  refuseUnknownOptions('requireHttps', options, KNOWN)
  const { hsts = {}, allowLoopback = true, global = false } = options
  for (const [name, value] of Object.entries({ allowLoopback, global })) {
    if (typeof value !== 'boolean') throw new INVALID_OPTIONS(`require-https: "${name}" must be true or false`)
  }
  const policy = hsts === false ? null : policyOf(hsts)
  const ruleFor = defineGuard(app, {
    name: 'https',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'true or false'
  })

  app.addHook('onRequest', function checkHttps (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    if (cameByTls(request)) {
      if (policy !== null && !reply.hasHeader('Strict-Transport-Security')) reply.header('Strict-Transport-Security', policy)
      done()
    } else if (allowLoopback && isLocal(request)) {
      done()
    } else {
      refuse(reply, new HTTPS_REQUIRED())
    }
  })
}

/** By the socket, or by what a trusted proxy says: of a list its own word, which is the last. Fastify does not listen to others. */
function cameByTls ({ protocol }: FastifyRequest): boolean {
  return protocol?.toLowerCase() === 'https'
}

function isLocal ({ raw: { socket }, headers }: FastifyRequest): boolean {
  const address = plainAddress(socket.remoteAddress)
  const family = isIP(address)
  return family !== 0 && LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4') && FORWARDED.every((name) => headers[name] === undefined)
}

function policyOf (hsts: HstsOptions): string {
  if (typeof hsts !== 'object' || hsts === null) {
    throw new INVALID_OPTIONS('require-https: "hsts" must be false or an object with "maxAgeSeconds", "includeSubDomains" and "preload"')
  }
  refuseUnknownMembers('requireHttps', 'hsts.', hsts, KNOWN_OF_HSTS, { maxAge: 'maxAgeSeconds' })
  const { maxAgeSeconds = 15_552_000, includeSubDomains = false, preload = false } = hsts
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    throw new INVALID_OPTIONS('require-https: "hsts.maxAgeSeconds" must be a whole number of seconds, 0 or more')
  }
  if (typeof includeSubDomains !== 'boolean') throw new INVALID_OPTIONS('require-https: "hsts.includeSubDomains" must be true or false')
  if (typeof preload !== 'boolean') throw new INVALID_OPTIONS('require-https: "hsts.preload" must be true or false')
  if (preload && (!includeSubDomains || maxAgeSeconds < YEAR)) {
    throw new INVALID_OPTIONS(`require-https: "hsts.preload" needs "includeSubDomains" and a "maxAgeSeconds" of at least ${YEAR}, or no browser takes it`)
  }
  return `max-age=${maxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

export default fp(requireHttps, { name: 'gatehouse-require-https', fastify: '5.x' })
