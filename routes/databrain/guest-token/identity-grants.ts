import { unauthenticated } from '../../../lib/authorize.js'
import type { IdentityGrantOptions } from '../../../plugins/identity-token/index.js'
import { identityGrant } from '../identity-grant.js'
import type { GuestTokenGrant, GuestTokenOptions } from './options.js'
import type { RenewalOptions } from './renewal-options.js'

export interface GuestTokenIdentityOptions
  extends IdentityGrantOptions<GuestTokenGrant>, Omit<RenewalOptions, 'authorize'> {}

/** The claim of a reference with the grant of its user. */
const GRANT = 'identity_grant'

/**
 * Returns the options `authorize` and `renewal` of the guest-token route for pages whose users have identity tokens. A
 * page sends its token to the endpoint of `renewal`, which returns the `proxyAuthUrl` with a user reference; the
 * reference contains the grant, which the bearer can read. Needs the `identityToken` plugin, registered before the
 * route, and `userReferenceKeys`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(guestToken, {
 *   apiKey: process.env.DATABRAIN_API_KEY,
 *   dataAppName: 'sales',
 *   proxyKeys: [process.env.PROXY_KEY],
 *   userReferenceKeys: [process.env.USER_REFERENCE_KEY],
 *   ...identityGrants({ url: 'https://gate.example.com/api/databrain/guest-token', tenant: 'org_id' })
 * })
 */
export function identityGrants (
  { user, tenant, issuedAt, grant, ...renewal }: GuestTokenIdentityOptions
): Required<Pick<GuestTokenOptions, 'authorize' | 'renewal'>> {
  const grantOf = identityGrant({
    ...user === undefined ? {} : { user },
    ...tenant === undefined ? {} : { tenant },
    ...issuedAt === undefined ? {} : { issuedAt },
    ...grant === undefined ? {} : { grant }
  })
  return {
    authorize ({ userReference }) {
      if (userReference === null) return null
      const granted = userReference[GRANT]
      if (typeof granted === 'object') return granted as GuestTokenGrant | null
      throw unauthenticated('the user reference was not issued for an identity token')
    },
    renewal: {
      ...renewal,
      guards: { identityToken: true, ...renewal.guards },
      async authorize (request) {
        const granted = await grantOf(request)
        if (granted === null) return null
        const { clientId, userId = clientId, tenant = clientId, issuedAt = Date.now() } = granted
        return { claims: { sub: userId, [GRANT]: { ...granted, issuedAt } }, userId, tenant, issuedAt }
      }
    }
  }
}
