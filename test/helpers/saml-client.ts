import type { Test } from 'tap'
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import type { Profile, SamlConfig } from '@node-saml/node-saml'

import { createSigningPair } from '../../server/mock-products/saml/certificate.js'
import { startSamlProvider } from '../../server/mock-products/saml/index.js'
import type { SamlProvider, SamlProviderOptions, ServiceProvider } from '../../server/mock-products/saml/index.js'
import { formOf } from './visitor.js'
import type { Visit, Visitor } from './visitor.js'

export const ENTITY = 'http://127.0.0.1:1/saml/metadata?tenant=a&b'
export const ACS = 'http://127.0.0.1:1/saml/acs'
export const SLO = 'http://127.0.0.1:1/saml/slo'
export const ANN = 'person-1001'
export const BEN = 'person-1002'

/** The keys of the app, created once for a test file. */
export const appKeys = await createSigningPair('the app', Date.now())

/** Starts a provider for an app that signs; closed after the test. */
export async function samlProvider (
  t: Test,
  sp: Partial<ServiceProvider> = {},
  options: Partial<Omit<SamlProviderOptions, 'sp'>> = {}
): Promise<SamlProvider> {
  const { certificate } = appKeys
  const provider = await startSamlProvider({
    sp: { entityId: ENTITY, acsUrl: ACS, sloUrl: SLO, certificate, ...sp },
    ...options
  })
  t.teardown(() => provider.close())
  return provider
}

/** Configures the client library for a provider, with all its certificates. `signs: false` removes the app's key. */
export function samlClient (provider: SamlProvider, config: Partial<SamlConfig> = {}, { signs = true } = {}): SAML {
  return new SAML({
    issuer: ENTITY,
    callbackUrl: ACS,
    entryPoint: provider.ssoUrl,
    logoutUrl: provider.sloUrl,
    idpIssuer: provider.entityId,
    idpCert: [...provider.certificates],
    ...signs ? { privateKey: appKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() } : {},
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: true,
    validateInResponseTo: ValidateInResponseTo.always,
    identifierFormat: null,
    // The HTTP-POST binding does not compress; the library does so by default.
    skipRequestCompression: config.authnRequestBinding === 'HTTP-POST',
    ...config
  })
}

/** Returns the response that a page posts to the app. */
export function posted (page: Visit): {
  target: string
  SAMLResponse: string
  RelayState: string | undefined
  xml: string
} {
  const { action, fields } = formOf(page)
  const { SAMLResponse = '', RelayState } = fields
  return { target: action, SAMLResponse, RelayState, xml: Buffer.from(SAMLResponse, 'base64').toString() }
}

/** Opens the single sign-on service by HTTP redirect and chooses a person. Returns the page that posts the response. */
export async function chooseAt (visitor: Visitor, url: string, person: string): Promise<Visit> {
  return visitor.press(await visitor.open(url), { person })
}

/** Signs a person in and lets the library validate the response. */
export async function signIn (client: SAML, visitor: Visitor, person: string): Promise<Profile> {
  const page = await chooseAt(visitor, await client.getAuthorizeUrlAsync('', undefined, {}), person)
  return validate(client, page)
}

export async function validate (client: SAML, page: Visit): Promise<Profile> {
  const { profile } = await client.validatePostResponseAsync({ SAMLResponse: posted(page).SAMLResponse })
  if (profile === null) throw new Error('no profile')
  return profile
}
