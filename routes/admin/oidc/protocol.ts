import { OidcSettingsSchema } from '../../../schemas/admin-oidc.js'
import type { SsoProtocol } from '../sso/protocol.js'
import { clientConfiguration } from './client-configuration.js'
import type { KnownProvider, KnownProviders } from './known-providers.js'
import type { LoadPackages } from './packages.js'
import { checkSecret, checkSettings, completeSettings } from './settings.js'
import type { CompleteSettings } from './settings.js'

export interface OidcProtocolParts {
  loadPackages: LoadPackages
  providers: KnownProviders
  /** Whether organisations may add a provider at an address that is not public. */
  allowPrivateProviders: boolean
  urlsOf: (id: string) => OidcUrls
  now: () => number
}

/** The URLs of the server that the administrator enters at a provider. */
export interface OidcUrls extends Record<string, string> {
  redirect_uri: string
  backchannel_logout_uri: string
  post_logout_redirect_uri: string
}

/** The names of what the server remembers of a login while the browser is at the provider. */
export type LoginData = Record<'nonce' | 'verifier' | 'issuer' | 'client_id', string>

/** OpenID Connect: the authorization code flow with PKCE, and RP-initiated logout. */
export function oidcProtocol (
  { loadPackages, providers, allowPrivateProviders, urlsOf, now }: OidcProtocolParts
): SsoProtocol {
  async function configurationOf (known: KnownProvider, settings: CompleteSettings) {
    const packages = await loadPackages()
    // No request of these is sent to the token endpoint.
    const authentication = packages.client.None()
    return {
      client: packages.client,
      configuration: clientConfiguration(packages, known, settings, { authentication, now: now() })
    }
  }

  return {
    kind: 'oidc',
    issuerSetting: 'issuer',
    settingsSchema: OidcSettingsSchema,
    checkSettings: (settings, isOfHost) => checkSettings(settings, { allowPrivate: isOfHost || allowPrivateProviders }),
    checkSecret,
    urlsOf,

    async start (provider, { state, loginHint }) {
      const settings = completeSettings(provider.settings)
      const { issuer, client_id: clientId, scopes, prompt, hosted_domain: hostedDomain } = settings
      const known = await providers.get(provider)
      const { client, configuration } = await configurationOf(known, settings)
      const data: LoginData = {
        nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier(), issuer, client_id: clientId
      }
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: urlsOf(provider.id).redirect_uri,
        scope: scopes.join(' '),
        code_challenge: await client.calculatePKCECodeChallenge(data.verifier),
        code_challenge_method: 'S256',
        state,
        nonce: data.nonce,
        ...loginHint === null ? {} : { login_hint: loginHint },
        ...prompt === undefined ? {} : { prompt },
        ...hostedDomain === undefined ? {} : { hd: hostedDomain }
      })
      return { url: url.href, data }
    },

    async logoutUrl (provider, _session, hint) {
      const settings = completeSettings(provider.settings)
      if (!settings.end_session) return null
      const known = await providers.get(provider)
      if (known.server.end_session_endpoint === undefined) return null
      const { client, configuration } = await configurationOf(known, settings)
      return client.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: urlsOf(provider.id).post_logout_redirect_uri,
        ...hint === null ? {} : { id_token_hint: hint }
      }).href
    }
  }
}
