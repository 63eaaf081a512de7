import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { hasGuard } from '../../../lib/guard/index.js'
import { guardByProxyKey } from '../../../plugins/proxy-key.js'
import { guardByUserReference } from '../../../plugins/user-reference/index.js'
import type { GuestTokenGrant, GuestTokenOptions } from './options.js'

/** The name of the option in error messages. */
export const REFERENCE_KEYS = 'guest-token: "userReferenceKeys"'

/** Registers the guards whose keys are set. Throws `INVALID_OPTIONS` if no guard identifies the caller or the user. */
export async function registerGuards (scope: FastifyInstance, options: GuestTokenOptions): Promise<void> {
  const { authorize, proxyKeys, userReferenceKeys, secretMaxAge } = options
  if (proxyKeys !== undefined) {
    await guardByProxyKey(scope, { keys: proxyKeys, secretMaxAge }, 'guest-token: "proxyKeys"')
  }
  if (!hasGuard(scope, 'proxyKey')) {
    throw new INVALID_OPTIONS(
      'guest-token: "proxyKeys" is missing; create a key with `npx fastify-gatehouse generate-key`'
    )
  }
  // A userReference plugin of the app may have other keys than this route.
  if (userReferenceKeys !== undefined) {
    await guardByUserReference(scope, { keys: userReferenceKeys, secretMaxAge }, REFERENCE_KEYS)
  }
  if (authorize === undefined && !hasGuard(scope, 'userReference')) {
    throw new INVALID_OPTIONS(
      'guest-token: nothing identifies the user: set "authorize" or "userReferenceKeys", ' +
        'or register the userReference plugin'
    )
  }
}

/** Returns the decorator that signs the route's references, for another scope. Throws `INVALID_OPTIONS` without one. */
export async function referencesOf (
  scope: FastifyInstance,
  { userReferenceKeys, secretMaxAge }: GuestTokenOptions
): Promise<FastifyInstance['userReference']> {
  if (userReferenceKeys !== undefined) {
    await guardByUserReference(scope, { keys: userReferenceKeys, secretMaxAge }, REFERENCE_KEYS)
  }
  if (scope.hasDecorator('userReference')) return scope.userReference
  throw new INVALID_OPTIONS(
    'guest-token: "renewal" needs "userReferenceKeys" or the userReference plugin, to sign references'
  )
}

/** Returns the guard settings of the route. */
export function requiredGuards (scope: FastifyInstance, { authorize, guards }: GuestTokenOptions) {
  // The Authorization header contains the proxy key.
  const withKey = { proxyKey: true, ...hasGuard(scope, 'identityToken') ? { identityToken: false } : {} } as const
  if (authorize === undefined) return { ...withKey, userReference: true } as const
  // With `authorize` a reference is optional, because the function may identify the user in another way.
  return hasGuard(scope, 'userReference')
    ? { ...withKey, userReference: guards?.userReference ?? 'optional' } as const
    : withKey
}

/** The default of `authorize`: the user of the request's reference. */
export function byReference ({ userReference }: FastifyRequest): GuestTokenGrant | null {
  return userReference === null ? null : { clientId: userReference.sub }
}
