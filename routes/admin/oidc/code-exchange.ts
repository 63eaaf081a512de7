import type { FastifyBaseLogger } from 'fastify'
import type { Configuration } from 'openid-client'

import { INTERNAL_ERROR } from '../../../lib/errors.js'
import type { SsoTransaction } from '../sso/protocol.js'
import { clientAuthentications, clientConfiguration } from './client-configuration.js'
import type { KnownProvider } from './known-providers.js'
import type { OidcPackages } from './packages.js'
import type { CompleteSettings } from './settings.js'

export type Tokens = Awaited<ReturnType<OidcPackages['client']['authorizationCodeGrant']>>

interface Exchange {
  packages: OidcPackages
  known: KnownProvider
  settings: CompleteSettings
  transaction: SsoTransaction
  /** The redirect URI with the parameters of the response. */
  url: URL
  state: string
  now: number
  log: FastifyBaseLogger
}

/** Errors of products for a wrong client secret; Keycloak sends the second. */
const CLIENT_REFUSED: readonly string[] = ['invalid_client', 'unauthorized_client']

/**
 * Checks the response of the authorization endpoint and exchanges its code for tokens. The claims of the ID token are
 * checked, its signature is not. While a client secret is rotated, the provider may know the new or the previous one:
 * if it refuses the client it has not used the code, so the request is repeated.
 */
export async function exchangeCode (
  { packages, known, settings, transaction, url, state, now, log }: Exchange
): Promise<{ tokens: Tokens, configuration: Configuration }> {
  const { client } = packages
  const { provider, data: { nonce = '', verifier = '' } } = transaction
  const authentications = clientAuthentications(packages, settings, provider.secrets)
  for (const [at, authentication] of authentications.entries()) {
    const configuration = clientConfiguration(packages, known, settings, { authentication, now })
    try {
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true
      })
      if (at > 0) log.warn({ providerId: provider.id }, 'the identity provider accepts only the previous client secret')
      return { tokens, configuration }
    } catch (error) {
      if (at === authentications.length - 1 || !isClientRefused(packages, error)) throw error
    }
  }
  throw new INTERNAL_ERROR({ reason: 'the identity provider has no client secret' })
}

function isClientRefused ({ client }: OidcPackages, error: unknown): boolean {
  return error instanceof client.ResponseBodyError && (error.status === 401 || CLIENT_REFUSED.includes(error.error))
}
