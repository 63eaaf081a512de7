import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertNonEmpty, assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { unauthenticated } from '../../lib/authorize.js'
import { refuse } from '../../lib/refuse.js'
import { checkStrength, RotatingSecret } from '../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { USER_REFERENCE_TTL, signUserReference } from '../../signing/user-reference.js'
import type { UserReference, UserReferenceClaims } from '../../signing/user-reference.js'
import { VerifiedReferences } from './verified-references.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { UserReference, UserReferenceClaims }

export interface UserReferenceOptions {
  /**
   * `[current, …previous]`, each at least 32 bytes: the first signs, all of them verify. A secret of its own, used for nothing else. A function, sync or
   * async, gives those of now; it is asked whether there are requests or not, as `sign` and `verify` cannot wait for it. Where there are several
   * instances, let all of them know a new key as a previous one before it signs.
   */
  keys: SecretSource<readonly string[]>
  /** How long what a function gave is used before it is asked again, milliseconds. A removed key lives half as long again at most. Default: 2 000. */
  secretMaxAge?: number | undefined
  /** The one purpose of these references; another purpose refuses them. Default: `'gatehouse-embed'`. */
  audience?: string
  /**
   * How long a reference is valid, milliseconds. Default: 43 200 000 (12 h), since a page asks for the next guest token
   * under the same reference. A revocation ends a reference earlier.
   */
  ttl?: number
  /** Guard every route of this scope that does not say otherwise. Default: `false`. */
  global?: boolean | 'optional'
  /** The clock, in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    userReference: {
      /**
       * Signs a reference to a user for `?ref=` or `X-User-Reference`. Throws unless `sub` is a string of 1 to 256
       * characters, and for a reference of more than 2 048 characters.
       */
      sign<Claims extends object> (claims: UserReferenceClaims<Claims>): string
      /**
       * Returns the claims of a reference, or `null` if it is not ours, was altered, has expired, was signed more than
       * 30 s ahead of our clock or has another audience. `Claims` types the host's own claims.
       */
      verify<Claims extends object = Record<string, unknown>> (reference: string): UserReference<Claims> | null
    }
  }

  interface FastifyRequest {
    /**
     * The claims of the request's user reference. `null` on a route that the guard does not check, and where an optional
     * reference is missing. `ReferencedRequest` types the host's own claims.
     */
    userReference: UserReference | null
  }

  interface GatehouseRouteConfig {
    /** Demand a user reference in `?ref=` or `X-User-Reference`; `'optional'` lets a request without one pass, never one with a bad one. */
    userReference?: boolean | 'optional'
  }
}

/**
 * A request whose user reference has these claims: annotate the parameter of an `authorize` function with it.
 *
 * @example
 * authorize: ({ userReference }: ReferencedRequest<{ company: string }>) =>
 *   userReference && { clientId: userReference.company, userId: userReference.sub }
 */
export type ReferencedRequest<Claims extends object> = FastifyRequest & { userReference: UserReference<Claims> | null }

const KNOWN: KnownOptions<UserReferenceOptions> = { keys: true, secretMaxAge: true, audience: true, ttl: true, global: true, now: true }

const userReference: FastifyPluginAsync<UserReferenceOptions> = async (app, options) => {
  refuseUnknownOptions('userReference', options, KNOWN)
  await guardByUserReference(app, options)
}

/** The guard, and the signing and verifying, in this scope. `option` names the option that has the keys, in errors. */
export async function guardByUserReference (
  app: FastifyInstance, options: UserReferenceOptions, option = 'user-reference: "keys"'
): Promise<void> {
  const { keys, secretMaxAge, audience = 'gatehouse-embed', global = false, now = Date.now } = options
  const { ttl = USER_REFERENCE_TTL } = options
  assertNonEmpty('user-reference', 'audience', audience)
  assertWholeNumber('user-reference', 'ttl', ttl, { min: 1_000, unit: 'milliseconds' })

  const check = (keys: readonly string[]) => checkedKeys(keys, option)
  const current = await RotatingSecret.open(keys, { name: option, check, log: app.log, maxAge: secretMaxAge })
  const stop = current.startRefreshing()
  app.addHook('onClose', async () => stop())

  const sign = <Claims extends object>(claims: UserReferenceClaims<Claims>): string =>
    signUserReference(claims, { key: current.cached()[0], audience, ttl, now: now() })
  const verified = new VerifiedReferences()
  const verify = (reference: string) => verified.verify(reference, { keys: current.cached(), audience, now: now() })
  // The host that asks for typed claims has signed them itself.
  app.decorate('userReference', { sign, verify } as FastifyInstance['userReference'])
  if (!app.hasRequestDecorator('userReference')) app.decorateRequest('userReference', null)

  const accepts = (value: unknown): boolean => typeof value === 'boolean' || value === 'optional'
  if (!accepts(global)) throw new INVALID_OPTIONS('user-reference: "global" must be true, false or \'optional\'')
  const ruleFor = defineGuard(app, {
    name: 'userReference',
    fallback: global,
    accepts,
    expected: 'true, false or \'optional\'',
    securityScheme: 'userReference'
  })

  app.addHook('onRequest', function checkUserReference (request, reply, done) {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false) return done()
    const known = current.get()
    // The timer has stood still where the process did; then a request waits rather than take a key that may be gone.
    if (known instanceof Promise) known.then(() => decide(request, reply, done, rule), done)
    else decide(request, reply, done, rule)
  })

  function decide (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction, rule: true | 'optional'): void {
    const fault = identify(request, rule)
    if (fault === null) done()
    else refuse(reply, fault)
  }

  function identify (request: FastifyRequest, rule: true | 'optional'): GatehouseError | null {
    const presented = referenceOf(request)
    if (presented === undefined) return rule === 'optional' ? null : unauthenticated('no user reference')
    if (presented === null) return unauthenticated('more than one user reference')
    const claims = verify(presented)
    if (claims === null) return unauthenticated('the user reference is not valid or has expired')
    request.userReference = claims
    return null
  }
}

/** The reference that came, `undefined` for none, `null` for several that differ. */
function referenceOf ({ query, headers }: FastifyRequest): string | null | undefined {
  const inQuery = (query as { ref?: unknown } | undefined)?.ref
  const inHeader = headers['x-user-reference']
  if (inQuery === undefined) return typeof inHeader === 'object' ? null : inHeader
  if (typeof inQuery !== 'string' || (inHeader !== undefined && inHeader !== inQuery)) return null
  return inQuery
}

function checkedKeys (keys: readonly string[], option: string): [string, ...string[]] {
  const [current, ...previous]: readonly string[] = Array.isArray(keys) ? keys : []
  if (current === undefined) throw new INVALID_OPTIONS(`${option} is empty; make one with \`npx fastify-gatehouse generate-key\``)
  for (const key of keys) checkStrength(option, key)
  return [current, ...previous]
}

export default fp(userReference, { name: 'gatehouse-user-reference', fastify: '5.x' })
export type { SecretSource } from '../../lib/secrets/secret-source.js'
