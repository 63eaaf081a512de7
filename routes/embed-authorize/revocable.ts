import type { FastifyRequest } from 'fastify'

import { isEpochMilliseconds } from '../../lib/authorize.js'
import { revocableGrant } from '../../plugins/embed-revocation.js'
import type { RevocableGrant } from '../../plugins/embed-revocation.js'
import { signedUsers } from '../../lib/signed-users.js'
export type {} from '../../plugins/identity-token/index.js'
export type {} from '../../plugins/user-reference/index.js'
import type { EmbedGrant } from './grant.js'
import type { EmbedDetails } from './policy.js'

/**
 * Returns the names by which an embed can be revoked. Throws a TypeError that names an invalid `tenant` or `issuedAt`.
 */
export function revocableEmbed (
  request: FastifyRequest,
  { email, username, tenant = null, issuedAt }: EmbedGrant,
  { dashboards }: EmbedDetails,
  now: number
): RevocableGrant {
  if (tenant !== null && (typeof tenant !== 'string' || tenant === '')) {
    throw new TypeError('tenant: must be a non-empty string')
  }
  if (issuedAt !== undefined && !isEpochMilliseconds(issuedAt)) {
    throw new TypeError('issuedAt: must be a time in epoch milliseconds')
  }
  return revocableGrant(signedUsers(request), { users: [email, username], tenant, dashboards, issuedAt }, now)
}
