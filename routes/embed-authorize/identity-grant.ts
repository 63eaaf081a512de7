import type { FastifyRequest } from 'fastify'

import { grantByIdentity } from '../../plugins/identity-token/identity-user.js'
import type { IdentityGrantOptions } from '../../plugins/identity-token/identity-user.js'
import type { EmbedGrant } from './grant.js'
import type { EmbedDetails } from './policy.js'

/**
 * Returns an `authorize` function that identifies the user by the identity token of the request: by `email` if the id
 * contains `@`, otherwise by `username`. Needs the `identityToken` plugin, registered before the route. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * const allowed = new Set(['c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'])
 * await app.register(embedAuthorize, {
 *   ...options,
 *   authorize: identityGrant({
 *     user: 'email',
 *     grant: (_user, { dashboards }) => dashboards.every((dashboard) => allowed.has(dashboard)) ? {} : null
 *   })
 * })
 */
export function identityGrant (
  options: IdentityGrantOptions<EmbedGrant, [details: EmbedDetails]> = {}
): (request: FastifyRequest, details: EmbedDetails) => Promise<EmbedGrant | null> {
  return grantByIdentity<EmbedGrant, [details: EmbedDetails]>(options, ({ user, tenant, issuedAt }, granted) => ({
    ...granted.email === undefined && granted.username === undefined ? namedUser(user) : {},
    tenant,
    issuedAt,
    ...granted
  }))
}

/** Returns the identity of a user in Bold BI, which knows users by email address or by name. */
export function namedUser (id: string): Pick<EmbedGrant, 'email' | 'username'> {
  return id.includes('@') ? { email: id } : { username: id }
}
