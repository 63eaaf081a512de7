import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { publishAllowed } from '../lib/channels.js'
import { HTTPS_REQUIRED, INVALID_OPTIONS } from '../lib/errors.js'
import { defineGuard } from '../lib/guard/index.js'
import { isDirectLoopback } from '../lib/http/direct-loopback.js'
import {
  assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers,
  refuseUnknownOptions
} from '../lib/options.js'
import type { AssertOption, KnownOptions } from '../lib/options.js'
import { refuse } from '../lib/refuse.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'

export interface HstsOptions {
  /** Seconds for which browsers use only HTTPS for this host; 0 removes the policy. Default: 15 552 000 (180 days). */
  maxAgeSeconds?: number
  /** Applies the policy to all subdomains, which then need HTTPS. Default: `false`. */
  includeSubDomains?: boolean
  /**
   * Consents to the preload list of browsers; a removal takes months. Needs `includeSubDomains` and a `maxAgeSeconds`
   * of a year or more. Default: `false`.
   */
  preload?: boolean
}

export interface RequireHttpsOptions {
  /**
   * `Strict-Transport-Security` header on HTTPS responses of guarded routes; `false` disables it. Default: 180 days,
   * without subdomains.
   */
  hsts?: HstsOptions | false
  /** Accepts plain HTTP from loopback addresses without headers of a proxy. Default: `true`. */
  allowLoopback?: boolean
  /** Guards every route of this scope that does not set `https: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Refuses requests that did not arrive over TLS. */
    https?: boolean
  }
}

const KNOWN: KnownOptions<RequireHttpsOptions> = { hsts: true, allowLoopback: true, global: true }
const KNOWN_OF_HSTS: KnownOptions<HstsOptions> = { maxAgeSeconds: true, includeSubDomains: true, preload: true }
const assertOption: AssertOption = optionAssertion('require-https')
const YEAR = 31_536_000

/**
 * Refuses requests that did not arrive over TLS, with 403 `HTTPS_REQUIRED`, and sends `Strict-Transport-Security`.
 * Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(requireHttps, { global: true })
 */
const requireHttps: FastifyPluginAsync<RequireHttpsOptions> = async (app, options) => {
  refuseUnknownOptions('requireHttps', options, KNOWN)
  const { hsts = {}, allowLoopback = true, global = false } = options
  assertBoolean('require-https', 'allowLoopback', allowLoopback)
  assertBoolean('require-https', 'global', global)
  const policy = hsts === false ? null : policyOf(hsts)
  const ruleFor = defineGuard(app, {
    name: 'https',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'true or false'
  })

  app.addHook('onRequest', function checkHttps (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    if (isHttps(request)) {
      if (policy !== null && !reply.hasHeader('Strict-Transport-Security')) {
        reply.header('Strict-Transport-Security', policy)
      }
    } else if (!allowLoopback || !isDirectLoopback(request)) {
      const reason = 'the request arrived over HTTP; behind a proxy, set "trustProxy"'
      refuse(reply, new HTTPS_REQUIRED({ reason }), 'https')
      return
    }
    publishAllowed(request, 'https')
    done()
  })
}

/** Reads the protocol from the socket or, from a trusted proxy only, from the last value of `X-Forwarded-Proto`. */
function isHttps ({ protocol }: FastifyRequest): boolean {
  return protocol?.toLowerCase() === 'https'
}

function policyOf (hsts: HstsOptions): string {
  assertOption(
    typeof hsts === 'object' && hsts !== null,
    'hsts',
    'false or an object with "maxAgeSeconds", "includeSubDomains" and "preload"',
    hsts
  )
  refuseUnknownMembers('requireHttps', 'hsts.', hsts, KNOWN_OF_HSTS, { maxAge: 'maxAgeSeconds' })
  const { maxAgeSeconds = 15_552_000, includeSubDomains = false, preload = false } = hsts
  assertWholeNumber('require-https', 'hsts.maxAgeSeconds', maxAgeSeconds, { min: 0, unit: 'seconds' })
  assertBoolean('require-https', 'hsts.includeSubDomains', includeSubDomains)
  assertBoolean('require-https', 'hsts.preload', preload)
  if (preload && (!includeSubDomains || maxAgeSeconds < YEAR)) {
    throw new INVALID_OPTIONS(
      `require-https: "hsts.preload" needs "includeSubDomains" and a "maxAgeSeconds" of at least ${YEAR}; ` +
        'browsers ignore it otherwise'
    )
  }
  return `max-age=${maxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

export default fp(requireHttps, { name: 'gatehouse-require-https', fastify: '5.x' })
