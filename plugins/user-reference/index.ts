import fp from 'fastify-plugin'
import type {
  FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest,
  HookHandlerDoneFunction
} from 'fastify'

import { publishAllowed } from '../../lib/channels.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { assertNonEmpty, assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { unauthenticated } from '../../lib/authorize.js'
import { refuse } from '../../lib/refuse.js'
import { tracedCheck } from '../../lib/trace.js'
import { checkStrength, RotatingSecret } from '../../lib/secrets/secret-source.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import { USER_REFERENCE_TTL, signUserReference } from '../../signing/user-reference.js'
import type { ReferenceProblem, UserReference, UserReferenceClaims } from '../../signing/user-reference.js'
import { VerifiedReferences } from './verified-references.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { UserReference, UserReferenceClaims }

export interface UserReferenceOptions {
  /**
   * Secrets `[current, …previous]`, each at least 32 bytes: the first signs, all verify. Use these secrets for nothing
   * else. A sync or async function returns the current secrets; it is called on a timer, because `sign` and `verify`
   * are synchronous. With several instances, add a new key as a previous key to all of them before it signs.
   */
  keys: SecretSource<readonly string[]>
  /**
   * Time after which a function given as `keys` is called again, in milliseconds. A removed key is accepted for at most
   * 1.5 times as long. Default: 2 000.
   */
  secretMaxAge?: number | undefined
  /** Purpose of the references. A guard with another purpose refuses them. Default: `'gatehouse-embed'`. */
  audience?: string
  /**
   * Lifetime of a reference, in milliseconds, 1 000 or more. A page uses the same reference for all its guest tokens. A
   * revocation ends a reference earlier. Default: 43 200 000 (12 hours).
   */
  ttl?: number
  /** Rule of all routes of this scope that do not set `userReference`. Default: `false`. */
  global?: boolean | 'optional'
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    userReference: {
      /**
       * Signs a reference to a user for `?ref=` or `X-User-Reference`. Throws unless `sub` is a string of 1 to 256
       * characters, and for a reference of more than 2 048 characters.
       */
      sign<Claims extends object>(claims: UserReferenceClaims<Claims>): string
      /**
       * Returns the claims of a reference, or `null` if its signature is not valid, it has expired, it was signed more
       * than 30 seconds in the future or it has another audience. `Claims` types the host's own claims.
       */
      verify<Claims extends object = Record<string, unknown>>(reference: string): UserReference<Claims> | null
    }
  }

  interface FastifyRequest {
    /**
     * The claims of the request's user reference. `null` on a route that the guard does not check, and where an
     * optional reference is missing. `ReferencedRequest` types the host's own claims.
     */
    userReference: UserReference | null
  }

  interface GatehouseRouteConfig {
    /**
     * Requires a user reference in `?ref=` or `X-User-Reference`. `'optional'` accepts a request without a reference,
     * but refuses an invalid reference.
     */
    userReference?: boolean | 'optional'
  }
}

/**
 * A request whose user reference has the given claims, for the parameter of an `authorize` function.
 *
 * @example
 * authorize: ({ userReference }: ReferencedRequest<{ company: string }>) =>
 *   userReference && { clientId: userReference.company, userId: userReference.sub }
 */
export type ReferencedRequest<Claims extends object> = FastifyRequest & { userReference: UserReference<Claims> | null }

const KNOWN: KnownOptions<UserReferenceOptions> = {
  keys: true,
  secretMaxAge: true,
  audience: true,
  ttl: true,
  global: true,
  now: true
}
/** For the log. */
const PROBLEMS: Readonly<Record<ReferenceProblem, string>> = {
  malformed: 'the user reference is malformed',
  signature: 'the user reference was changed, or signed with a key that is not in "keys"',
  audience: 'the user reference has another audience',
  ahead: 'the user reference is dated ahead of this clock',
  expired: 'the user reference has expired'
}

/**
 * Decorates the app with `app.userReference`, which signs and verifies references to users, and guards routes by such a
 * reference. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(userReference, { keys: [process.env.USER_REFERENCE_KEY] })
 * const reference = app.userReference.sign({ sub: user.id })
 */
const userReference: FastifyPluginAsync<UserReferenceOptions> = async (app, options) => {
  refuseUnknownOptions('userReference', options, KNOWN)
  await guardByUserReference(app, options)
}

/**
 * Registers the guard and `app.userReference` in a scope. `option` is the name of the option in error messages. Throws
 * `INVALID_OPTIONS`.
 */
export async function guardByUserReference (
  app: FastifyInstance,
  options: UserReferenceOptions,
  option = 'user-reference: "keys"'
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
  const against = () => ({ keys: current.cached(), audience, now: now() })
  const verify = (reference: string) => verified.verify(reference, against())
  // The type of the claims is the host's promise: the host has signed them.
  app.decorate('userReference', { sign, verify } as FastifyInstance['userReference'])
  if (!app.hasRequestDecorator('userReference')) app.decorateRequest('userReference', null)

  const accepts = (value: unknown): boolean => typeof value === 'boolean' || value === 'optional'
  if (!accepts(global)) throw new INVALID_OPTIONS('user-reference: "global" must be true, false or \'optional\'')
  const ruleFor = defineGuard(app, {
    name: 'userReference',
    fallback: global,
    accepts,
    expected: "true, false or 'optional'",
    securityScheme: 'userReference'
  })

  const checkReference = tracedCheck('userReference', function checkReference (
    request,
    reply,
    done,
    rule: true | 'optional'
  ) {
    const known = current.get()
    // After a pause of the process the keys have expired; the request waits for the current keys.
    if (known instanceof Promise) known.then(() => decide(request, reply, done, rule), done)
    else decide(request, reply, done, rule)
  })
  app.addHook('onRequest', function checkUserReference (request, reply, done) {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false) return done()
    checkReference(request, reply, done, rule)
  })

  function decide (
    request: FastifyRequest,
    reply: FastifyReply,
    done: HookHandlerDoneFunction,
    rule: true | 'optional'
  ): void {
    const error = identify(request, rule)
    if (error !== null) {
      refuse(reply, error, 'userReference')
      return
    }
    publishAllowed(request, 'userReference')
    done()
  }

  function identify (request: FastifyRequest, rule: true | 'optional'): GatehouseError | null {
    const presented = referenceOf(request)
    if (presented === undefined) return rule === 'optional' ? null : unauthenticated('no user reference')
    if (presented === null) return unauthenticated('more than one user reference')
    const claims = verified.check(presented, against())
    if (typeof claims === 'string') return unauthenticated(PROBLEMS[claims])
    request.userReference = claims
    return null
  }
}

/** Returns the reference of a request; `undefined` without one, `null` for several different references. */
function referenceOf ({ query, headers }: FastifyRequest): string | null | undefined {
  const inQuery = (query as { ref?: unknown } | undefined)?.ref
  const inHeader = headers['x-user-reference']
  if (inQuery === undefined) return typeof inHeader === 'object' ? null : inHeader
  if (typeof inQuery !== 'string' || (inHeader !== undefined && inHeader !== inQuery)) return null
  return inQuery
}

function checkedKeys (keys: readonly string[], option: string): [string, ...string[]] {
  const [current, ...previous]: readonly string[] = Array.isArray(keys) ? keys : []
  if (current === undefined) {
    throw new INVALID_OPTIONS(`${option} is empty; create a key with \`npx fastify-gatehouse generate-key\``)
  }
  for (const key of keys) checkStrength(option, key)
  return [current, ...previous]
}

export default fp(userReference, { name: 'gatehouse-user-reference', fastify: '5.x' })
export type { SecretSource } from '../../lib/secrets/secret-source.js'
