import { timingSafeEqual } from 'node:crypto'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { INVALID_OPTIONS, UNAUTHORIZED } from './errors.js'
import type { GatehouseError } from './errors.js'
import { defineGuard } from './guard.js'
import { refuseUnknownOptions } from './known-options.js'
import type { KnownOptions } from './known-options.js'
import { refuse } from './refuse.js'
import { CurrentSecret } from './secret-source.js'
import type { SecretSource } from './secret-source.js'
import { sha256 } from '../signing/digest.js'
import { assertStrongSecret } from '../signing/secret-strength.js'

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
const SCHEME = 'Bearer '
const PRINTABLE = /^[\x21-\x7e]+$/

const proxyKey: FastifyPluginAsync<ProxyKeyOptions> = async (app, options) => {
  refuseUnknownOptions('proxyKey', options, KNOWN)
  const { keys, secretMaxAge, global = false } = options
  const current = await CurrentSecret.open(keys, { name: 'proxy-key: "keys"', check: knownKeys, log: app.log, maxAge: secretMaxAge })
  if (current.latest().length === 0) throw new INVALID_OPTIONS('proxy-key: "keys" is empty; make one with `npx fastify-gatehouse generate-key`')

  if (!app.hasRequestDecorator('proxyKey')) app.decorateRequest('proxyKey', null)
  const wanted = defineGuard(app, {
    name: 'proxyKey',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean',
    securityScheme: 'proxyKey'
  })

  app.addHook('onRequest', function checkProxyKey (request, reply, done) {
    if (wanted(request) !== true) return done()
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
  if (presented === null) return new UNAUTHORIZED({ reason: 'no proxy key, or more than one' })
  const digest = sha256(presented)
  const key = known.find((key) => timingSafeEqual(key.digest, digest))
  if (key === undefined) return new UNAUTHORIZED({ reason: 'unknown proxy key' })
  request.proxyKey = key.identity
  return null
}

function knownKeys (keys: readonly string[]): KnownKey[] {
  if (!Array.isArray(keys)) throw new INVALID_OPTIONS('proxy-key: "keys" must be a list of keys; make one with `npx fastify-gatehouse generate-key`')
  return keys.map((key: string) => {
    try {
      assertStrongSecret('keys', key)
    } catch (error) {
      throw new INVALID_OPTIONS(`proxy-key: ${(error as Error).message}`)
    }
    if (!PRINTABLE.test(key)) throw new INVALID_OPTIONS('proxy-key: "keys" must be of printable ASCII characters without spaces, as they travel in a header')
    const digest = sha256(key)
    return { digest, identity: Object.freeze({ id: digest.toString('hex', 0, 4) }) }
  })
}

/** The token of the one Authorization header, or null. Node keeps the first of two and drops the second without a word. */
function bearer ({ headers, raw }: FastifyRequest): string | null {
  const value = headers.authorization
  if (value === undefined || !value.startsWith(SCHEME)) return null
  let seen = 0
  for (let at = 0; at < raw.rawHeaders.length; at += 2) {
    if (raw.rawHeaders[at]?.toLowerCase() === 'authorization') seen++
  }
  return seen === 1 ? value.slice(SCHEME.length) : null
}

export default fp(proxyKey, { name: 'gatehouse-proxy-key', fastify: '5.x' })
