import type { FastifyInstance } from 'fastify'

import identityToken from '../plugins/identity-token/index.js'
import { grantByIdentity } from '../plugins/identity-token/identity-user.js'
import type { EmbedUser, IdentifiedUserOf } from './embed-user.js'
import type { IdentityConfig } from './config/identity.js'

/**
 * Registers the guard for the tokens of the configured provider. `origins` are those whose pages may send writes with
 * the cookie. Rejects with `INVALID_OPTIONS`.
 */
export async function identityProvider (
  app: FastifyInstance,
  config: IdentityConfig,
  origins: readonly string[]
): Promise<IdentifiedUserOf> {
  const { issuer, audience, authorizedParties, jwksUrl, algorithms, expectedClaims, header, cookie } = config
  await app.register(identityToken, {
    providers: [{
      issuer,
      expectedClaims,
      ...audience.length === 0 ? {} : { audience },
      ...authorizedParties.length === 0 ? {} : { authorizedParties },
      ...jwksUrl === null ? {} : { jwksUrl },
      ...algorithms === null ? {} : { algorithms }
    }],
    ...header === null ? {} : { header },
    ...cookie === null ? {} : { cookie: { name: cookie, origins } }
  })
  const { userClaim, tenantClaim, timeClaim } = config
  const mapping = { user: userClaim, issuedAt: timeClaim, ...tenantClaim === null ? {} : { tenant: tenantClaim } }
  return grantByIdentity<EmbedUser>(mapping, ({ user, tenant, issuedAt }) => ({
    id: user,
    ...tenant === null ? {} : { tenant },
    issuedAt
  }))
}
