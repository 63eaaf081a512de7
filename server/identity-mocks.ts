import type { Config } from './config/index.js'
import { startOidcProvider } from './mock-products/oidc/index.js'
import type { OidcProvider } from './mock-products/oidc/index.js'
import { startSamlProvider } from './mock-products/saml/index.js'
import type { SamlProvider } from './mock-products/saml/index.js'
import { adminPages, ssoPaths } from './sso-paths.js'

/** The mock identity providers of administrators, whose people have emails of this domain. */
export const MOCK_DOMAIN = 'example.com'
export const MOCK_OIDC_ID = 'mock-oidc'
export const MOCK_SAML_ID = 'mock-saml'

export interface IdentityMocks {
  oidc: OidcProvider
  saml: SamlProvider
  close(): Promise<void>
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Starts the mock identity providers, on which everybody can sign in without a password. Resolves with `null` unless
 * the server listens on loopback, no real product and no real provider is configured, and single sign-on is on.
 *
 * @param publicUrl the URL that browsers reach the server at
 */
export async function startIdentityMocks (config: Config, publicUrl: string): Promise<IdentityMocks | null> {
  const { production, mocksAlone, host, sso, database } = config
  if (production || !mocksAlone || !LOOPBACK.has(host) || database !== null) return null
  if (sso === null || sso.oidc !== null || sso.saml !== null) return null
  const oidcPaths = ssoPaths(publicUrl, 'oidc', MOCK_OIDC_ID)
  const samlPaths = ssoPaths(publicUrl, 'saml', MOCK_SAML_ID)
  // Both at once, because each creates a key in a separate thread.
  const startingOidc = startOidcProvider({
    redirectUris: [oidcPaths.callback],
    postLogoutRedirectUris: [publicUrl + adminPages(config).signIn],
    backchannelLogoutUrl: oidcPaths.backchannelLogout
  })
  const { metadata: entityId, acs: acsUrl, slo: sloUrl } = samlPaths
  const startingSaml = startSamlProvider({ sp: { entityId, acsUrl, sloUrl } })
  try {
    const [oidc, saml] = await Promise.all([startingOidc, startingSaml])
    return {
      oidc,
      saml,
      async close () {
        await Promise.all([oidc.close(), saml.close()])
      }
    }
  } catch (error) {
    for (const started of await Promise.allSettled([startingOidc, startingSaml])) {
      if (started.status === 'fulfilled') await started.value.close()
    }
    throw error
  }
}
