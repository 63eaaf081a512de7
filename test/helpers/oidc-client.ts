import type { Test } from 'tap'
import * as client from 'openid-client'

import { startOidcProvider } from '../../server/mock-products/oidc/index.js'
import type { OidcProvider, OidcProviderOptions } from '../../server/mock-products/oidc/index.js'
import type { Visit, Visitor } from './visitor.js'

export const CALLBACK = 'http://127.0.0.1:1/callback'
export const SIGNED_OUT = 'http://127.0.0.1:1/signed-out'
export const ANN = 'person-1001'
export const BEN = 'person-1002'

/** Starts a provider whose client has one callback URL; closed after the test. */
export async function oidcProvider (t: Test, options: Partial<OidcProviderOptions> = {}): Promise<OidcProvider> {
  const provider = await startOidcProvider({
    redirectUris: [CALLBACK],
    postLogoutRedirectUris: [SIGNED_OUT],
    // Its keys are created faster than RSA keys.
    algorithm: 'ES256',
    ...options
  })
  t.teardown(() => provider.close())
  return provider
}

/** Configures the client library from the provider's discovery document. */
export function discover (
  { issuer, clientId, clientSecret }: OidcProvider,
  authentication: typeof client.ClientSecretBasic = client.ClientSecretPost
): Promise<client.Configuration> {
  return client.discovery(new URL(issuer), clientId, undefined, authentication(clientSecret), {
    execute: [client.allowInsecureRequests]
  })
}

export interface Attempt {
  url: string
  verifier: string
  state: string
  nonce: string
}

/** Returns the URL of a valid authorization request, with its secrets. `null` removes a parameter. */
export async function attempt (
  configuration: client.Configuration,
  extra: Readonly<Record<string, string | null>> = {}
): Promise<Attempt> {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: CALLBACK,
    scope: 'openid email profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce
  })
  for (const [name, value] of Object.entries(extra)) {
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return { url: url.href, verifier, state, nonce }
}

/** Opens the authorization request and chooses a person. Returns the visit that redirects to the callback. */
export async function chooseAt (visitor: Visitor, { url }: Attempt, person: string): Promise<Visit> {
  return visitor.press(await visitor.open(url), { person })
}

/** Signs a person in and redeems the code. */
export async function signIn (
  configuration: client.Configuration,
  visitor: Visitor,
  person: string,
  extra: Readonly<Record<string, string | null>> = {}
): Promise<Awaited<ReturnType<typeof client.authorizationCodeGrant>>> {
  const tried = await attempt(configuration, extra)
  return redeem(configuration, await chooseAt(visitor, tried, person), tried)
}

/** Checks the response at the callback and redeems its code. */
export function redeem (
  configuration: client.Configuration,
  { location }: Pick<Visit, 'location'>,
  { verifier, state, nonce }: Attempt
): ReturnType<typeof client.authorizationCodeGrant> {
  return client.authorizationCodeGrant(configuration, new URL(location ?? ''), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true
  })
}
