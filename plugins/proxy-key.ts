import { timingSafeEqual } from 'node:crypto'

import fp from 'fastify-plugin'
import type {
  FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest,
  HookHandlerDoneFunction
} from 'fastify'

import { publishAllowed } from '../lib/channels.js'
import { INVALID_OPTIONS, UNAUTHORIZED } from '../lib/errors.js'
import type { GatehouseError } from '../lib/errors.js'
import { defineGuard } from '../lib/guard/index.js'
import { bearerToken } from '../lib/http/bearer-token.js'
import { refuseUnknownOptions } from '../lib/options.js'
import type { KnownOptions } from '../lib/options.js'
import { refuse } from '../lib/refuse.js'
import { tracedCheck } from '../lib/trace.js'
import { checkStrength, RotatingSecret } from '../lib/secrets/secret-source.js'
import type { SecretSource } from '../lib/secrets/secret-source.js'
import { sha256 } from '../signing/digest.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../lib/guard/index.js'

export interface ProxyKeyOptions {
  /**
   * Accepted keys, each at least 32 printable ASCII characters. List two while you rotate a key. A sync or async
   * function returns the current keys, so that a change needs no restart; an empty list at run time refuses all
   * requests.
   */
  keys: SecretSource<readonly string[]>
  /**
   * Time after which a function given as `keys` is called again, in milliseconds. A removed key is accepted until then.
   * Default: 2 000.
   */
  secretMaxAge?: number | undefined
  /** Guards every route of this scope that does not set `proxyKey: false`. Default: `false`. */
  global?: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The first 8 hex digits of the SHA-256 of the request's proxy key. `null` on a route without the guard. */
    proxyKey: { readonly id: string } | null
  }

  interface GatehouseRouteConfig {
    /** Requires a proxy key as a Bearer token. */
    proxyKey?: boolean
  }
}

interface KnownKey {
  digest: Buffer
  identity: { readonly id: string }
}

const KNOWN: KnownOptions<ProxyKeyOptions> = { keys: true, secretMaxAge: true, global: true }
const HOW_TO_CREATE = 'create a key with `npx fastify-gatehouse generate-key`'
const PRINTABLE = /^[\x21-\x7e]+$/

/**
 * Guards routes by a shared key that a server sends as a Bearer token. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(proxyKey, { keys: [process.env.PROXY_KEY] })
 * app.get('/internal', { config: { gatehouse: { proxyKey: true } } }, sendInternal)
 */
const proxyKey: FastifyPluginAsync<ProxyKeyOptions> = async (app, options) => {
  refuseUnknownOptions('proxyKey', options, KNOWN)
  await guardByProxyKey(app, options)
}

/** Registers the guard in a scope. `option` is the name of the option in error messages. Throws `INVALID_OPTIONS`. */
export async function guardByProxyKey (
  app: FastifyInstance,
  { keys, secretMaxAge, global = false }: ProxyKeyOptions,
  option = 'proxy-key: "keys"'
): Promise<void> {
  const check = (keys: readonly string[]) => knownKeys(keys, option)
  const current = await RotatingSecret.open(keys, { name: option, check, log: app.log, maxAge: secretMaxAge })
  if (current.cached().length === 0) throw new INVALID_OPTIONS(`${option} is empty; ${HOW_TO_CREATE}`)

  if (!app.hasRequestDecorator('proxyKey')) app.decorateRequest('proxyKey', null)
  const ruleFor = defineGuard(app, {
    name: 'proxyKey',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean',
    securityScheme: 'proxyKey'
  })

  const checkKey = tracedCheck('proxyKey', function checkKey (request, reply, done) {
    const known = current.get()
    // Asynchronous only if the keys come from a function whose last result has expired.
    if (known instanceof Promise) known.then((known) => decide(request, reply, done, known), done)
    else decide(request, reply, done, known)
  })
  app.addHook('onRequest', function checkProxyKey (request, reply, done) {
    if (ruleFor(request) !== true) return done()
    checkKey(request, reply, done)
  })
}

function decide (
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
  known: readonly KnownKey[]
): void {
  const error = identify(request, known)
  if (error !== null) {
    refuse(reply, error, 'proxyKey')
    return
  }
  publishAllowed(request, 'proxyKey')
  done()
}

function identify (request: FastifyRequest, known: readonly KnownKey[]): GatehouseError | null {
  const presented = bearerToken(request)
  if (presented === null) return wrongKey('no proxy key, or more than one')
  const digest = sha256(presented)
  const key = known.find((key) => timingSafeEqual(key.digest, digest))
  if (key === undefined) return wrongKey('unknown proxy key')
  request.proxyKey = key.identity
  return null
}

/**
 * Returns the error for a missing or wrong key, with the message that DataBrain's page shows. `reason` is for the log.
 */
export function wrongKey (reason: string): GatehouseError {
  return new UNAUTHORIZED({ message: 'Invalid authentication key', reason })
}

function knownKeys (keys: readonly string[], option: string): KnownKey[] {
  if (!Array.isArray(keys)) throw new INVALID_OPTIONS(`${option} must be a list of keys; ${HOW_TO_CREATE}`)
  return keys.map((key: string) => {
    checkStrength(option, key)
    if (!PRINTABLE.test(key)) {
      throw new INVALID_OPTIONS(
        `${option} must contain only printable ASCII characters without spaces, for use in a header`
      )
    }
    const digest = sha256(key)
    return { digest, identity: Object.freeze({ id: digest.toString('hex', 0, 4) }) }
  })
}

export default fp(proxyKey, { name: 'gatehouse-proxy-key', fastify: '5.x' })
export type { SecretSource } from '../lib/secrets/secret-source.js'
