import { timingSafeEqual } from 'node:crypto'

import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { INVALID_OPTIONS, UNAUTHORIZED } from '../lib/errors.js'
import type { GatehouseError } from '../lib/errors.js'
import { defineGuard } from '../lib/guard/index.js'
import { singleHeader } from '../lib/http/single-header.js'
import { refuseUnknownOptions } from '../lib/options.js'
import type { KnownOptions } from '../lib/options.js'
import { refuse } from '../lib/refuse.js'
import { checkStrength, RotatingSecret } from '../lib/secrets/secret-source.js'
import type { SecretSource } from '../lib/secrets/secret-source.js'
import { sha256 } from '../signing/digest.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'

export interface ProxyKeyOptions {
  /**
   * The keys accepted, each at least 32 printable ASCII characters; list two while one is being rotated. A function, sync or async, gives those of
   * now, so that a key can come and go without a restart; from an empty list that it gives later on nobody gets in.
   */
  keys: SecretSource<readonly string[]>
  /** How long what a function gave is used before it is asked again, milliseconds, so the longest that a removed key lives. Default: 2 000. */
  secretMaxAge?: number | undefined
  /** Guard every route of this scope that does not say `proxyKey: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Which proxy key was presented: the first 8 hex digits of its SHA-256. `null` on a route that the guard does not check. */
    proxyKey: { readonly id: string } | null
  }

  interface GatehouseRouteConfig {
    /** Demand a proxy key as a Bearer token. */
    proxyKey?: boolean
  }
}

interface KnownKey { digest: Buffer, identity: { readonly id: string } }

const KNOWN: KnownOptions<ProxyKeyOptions> = { keys: true, secretMaxAge: true, global: true }
const MAKE_ONE = 'make one with `npx fastify-gatehouse generate-key`'
const SCHEME = 'Bearer '
const PRINTABLE = /^[\x21-\x7e]+$/

const proxyKey: FastifyPluginAsync<ProxyKeyOptions> = async (app, options) => {
  refuseUnknownOptions('proxyKey', options, KNOWN)
  await guardByProxyKey(app, options)
}

/** The guard in this scope. `option` names the option that has the keys, in errors. */
export async function guardByProxyKey (
  app: FastifyInstance, { keys, secretMaxAge, global = false }: ProxyKeyOptions, option = 'proxy-key: "keys"'
): Promise<void> {
  const check = (keys: readonly string[]) => knownKeys(keys, option)
  const current = await RotatingSecret.open(keys, { name: option, check, log: app.log, maxAge: secretMaxAge })
  if (current.cached().length === 0) throw new INVALID_OPTIONS(`${option} is empty; ${MAKE_ONE}`)

  if (!app.hasRequestDecorator('proxyKey')) app.decorateRequest('proxyKey', null)
  const ruleFor = defineGuard(app, {
    name: 'proxyKey',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean',
    securityScheme: 'proxyKey'
  })

  app.addHook('onRequest', function checkProxyKey (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    const known = current.get()
    // A plain list, and a function's answer as long as it is young, make nobody wait.
    if (known instanceof Promise) known.then((known) => decide(request, reply, done, known), done)
    else decide(request, reply, done, known)
  })
}

function decide (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction, known: readonly KnownKey[]): void {
  const fault = identify(request, known)
  if (fault === null) done()
  else refuse(reply, fault)
}

function identify (request: FastifyRequest, known: readonly KnownKey[]): GatehouseError | null {
  const presented = bearer(request)
  if (presented === null) return wrongKey('no proxy key, or more than one')
  const digest = sha256(presented)
  const key = known.find((key) => timingSafeEqual(key.digest, digest))
  if (key === undefined) return wrongKey('unknown proxy key')
  request.proxyKey = key.identity
  return null
}

/** The error for a missing or wrong key, with the message of DataBrain's page. `reason` is for the log. */
export function wrongKey (reason: string): GatehouseError {
  return new UNAUTHORIZED({ message: 'Invalid authentication key', reason })
}

function knownKeys (keys: readonly string[], option: string): KnownKey[] {
  if (!Array.isArray(keys)) throw new INVALID_OPTIONS(`${option} must be a list of keys; ${MAKE_ONE}`)
  return keys.map((key: string) => {
    checkStrength(option, key)
    if (!PRINTABLE.test(key)) {
      throw new INVALID_OPTIONS(`${option} must be printable ASCII characters without spaces, since a header carries it`)
    }
    const digest = sha256(key)
    return { digest, identity: Object.freeze({ id: digest.toString('hex', 0, 4) }) }
  })
}

/** The token of the one Authorization header, or `null`. */
function bearer ({ headers, raw }: FastifyRequest): string | null {
  const value = headers.authorization
  if (value === undefined || !value.startsWith(SCHEME)) return null
  return singleHeader(raw.rawHeaders, 'authorization') === null ? null : value.slice(SCHEME.length)
}

export default fp(proxyKey, { name: 'gatehouse-proxy-key', fastify: '5.x' })
export type { SecretSource } from '../lib/secrets/secret-source.js'
