import type { FastifyRequest } from 'fastify'

import { grantByIdentity } from '../../plugins/identity-token/identity-user.js'
import type { IdentityGrantOptions } from '../../plugins/identity-token/identity-user.js'
import type { GuestTokenGrant } from './guest-token/options.js'

/**
 * Returns an `authorize` function that identifies the user by the identity token of the request. The `clientId` is the
 * tenant if the option `tenant` is set, otherwise the user. Needs the `identityToken` plugin, registered before the
 * route. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(databrainProxy, { ...options, authorize: identityGrant({ tenant: 'org_id' }) })
 */
export function identityGrant (
  options: IdentityGrantOptions<GuestTokenGrant> = {}
): (request: FastifyRequest) => Promise<GuestTokenGrant | null> {
  return grantByIdentity<GuestTokenGrant>(options, ({ user, tenant, issuedAt }, granted) => ({
    clientId: tenant ?? user,
    userId: user,
    ...tenant === null ? {} : { tenant },
    issuedAt,
    ...granted
  }))
}
