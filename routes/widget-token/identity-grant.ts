import type { FastifyRequest } from 'fastify'

import { grantByIdentity } from '../../plugins/identity-token/identity-user.js'
import type { IdentityGrantOptions } from '../../plugins/identity-token/identity-user.js'
import type { WidgetUser } from './options.js'

/**
 * Returns an `authorize` function that identifies the user by the identity token of the request. Needs the
 * `identityToken` plugin, registered before the route. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(widgetToken, {
 *   ...options,
 *   authorize: identityGrant({ grant: ({ claims }) => claims.plan === 'pro' ? {} : { filters: ['delayed'] } })
 * })
 */
export function identityGrant (
  options: IdentityGrantOptions<WidgetUser> = {}
): (request: FastifyRequest) => Promise<WidgetUser | null> {
  return grantByIdentity<WidgetUser>(options, ({ user, tenant, issuedAt }, granted) => ({
    user,
    ...tenant === null ? {} : { tenant },
    issuedAt,
    ...granted
  }))
}
