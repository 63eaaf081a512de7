import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { hasGuard } from '../../../lib/guard/index.js'
import { guardByProxyKey } from '../../../plugins/proxy-key.js'
import { guardByUserReference } from '../../../plugins/user-reference/index.js'
import type { GuestTokenGrant, GuestTokenOptions } from './options.js'

/** The name of the option, in errors. */
export const REFERENCE_KEYS = 'guest-token: "userReferenceKeys"'

/** Registers the guards that the route has keys for. Throws `INVALID_OPTIONS` where the caller or the user could not be known. */
export async function registerGuards (scope: FastifyInstance, options: GuestTokenOptions): Promise<void> {
  const { authorize, proxyKeys, userReferenceKeys, secretMaxAge } = options
  if (proxyKeys !== undefined) await guardByProxyKey(scope, { keys: proxyKeys, secretMaxAge }, 'guest-token: "proxyKeys"')
  if (!hasGuard(scope, 'proxyKey')) throw new INVALID_OPTIONS('guest-token: "proxyKeys" is missing; make one with `npx fastify-gatehouse generate-key`')
  // The app may have references of other keys than this route's.
  if (userReferenceKeys !== undefined) await guardByUserReference(scope, { keys: userReferenceKeys, secretMaxAge }, REFERENCE_KEYS)
  if (authorize === undefined && !hasGuard(scope, 'userReference')) {
    throw new INVALID_OPTIONS('guest-token: who the user is must be known: give "authorize" or "userReferenceKeys", or register the userReference plugin')
  }
}

/** What signs the route's references, in another scope. Throws `INVALID_OPTIONS` where the route has none. */
export async function referencesOf (
  scope: FastifyInstance, { userReferenceKeys, secretMaxAge }: GuestTokenOptions
): Promise<FastifyInstance['userReference']> {
  if (userReferenceKeys !== undefined) await guardByUserReference(scope, { keys: userReferenceKeys, secretMaxAge }, REFERENCE_KEYS)
  if (scope.hasDecorator('userReference')) return scope.userReference
  throw new INVALID_OPTIONS('guest-token: "renewal" needs "userReferenceKeys" or the userReference plugin, to sign references')
}

/** What the route asks of the guards. */
export function requiredGuards (scope: FastifyInstance, { authorize, guards }: GuestTokenOptions) {
  if (authorize === undefined) return { proxyKey: true, userReference: true } as const
  // A host's own function may look at a reference, or at something else where there is none.
  return hasGuard(scope, 'userReference') ? { proxyKey: true, userReference: guards?.userReference ?? 'optional' } as const : { proxyKey: true }
}

/** The user whom the request's reference names, as the default of `authorize`. */
export function byReference ({ userReference }: FastifyRequest): GuestTokenGrant | null {
  return userReference === null ? null : { clientId: userReference.sub }
}
