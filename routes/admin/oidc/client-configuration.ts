import type { ClientAuth, ClientMetadata, Configuration } from 'openid-client'

import type { KnownProvider } from './known-providers.js'
import { insecureLoopback } from './known-providers.js'
import type { OidcPackages } from './packages.js'
import type { CompleteSettings } from './settings.js'

/** Maximum difference between the clocks of the server and the provider, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 30

/** Returns what openid-client needs for one request to a provider. */
export function clientConfiguration (
  { client }: OidcPackages,
  { server, fetch }: KnownProvider,
  { client_id: clientId, id_token_signed_response_alg: algorithm }: CompleteSettings,
  { authentication, now }: { authentication: ClientAuth, now: number }
): Configuration {
  const metadata: ClientMetadata = {
    client_id: clientId,
    id_token_signed_response_alg: algorithm,
    [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
    [client.clockSkew]: Math.round((now - Date.now()) / 1_000)
  }
  const configuration = new client.Configuration(server, clientId, metadata, authentication)
  configuration[client.customFetch] = fetch
  for (const extension of insecureLoopback(client, server.issuer)) extension(configuration)
  return configuration
}

/** Returns the ways to authenticate at the token endpoint, best first: one per valid secret. */
export function clientAuthentications (
  { client }: OidcPackages,
  { token_endpoint_auth_method: method }: CompleteSettings,
  secrets: readonly string[]
): ClientAuth[] {
  if (method === 'none') return [client.None()]
  const authenticate = method === 'client_secret_post' ? client.ClientSecretPost : client.ClientSecretBasic
  return secrets.map((secret) => authenticate(secret))
}
