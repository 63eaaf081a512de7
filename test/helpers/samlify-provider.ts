import samlify from 'samlify'

import type { SigningPair } from '../../server/mock-products/saml/certificate.js'
import { newId } from './forged-saml.js'
import { IDP, privatePem } from './saml-app.js'

const BINDINGS = 'urn:oasis:names:tc:SAML:2.0:bindings:'
// Not in the library's types.
const ENCRYPTION = { keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p' }
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
const CONTEXT = samlify.SamlLib.defaultLoginResponseTemplate.context.replace('{AuthnStatement}',
  '<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="{SessionIndex}"><saml:AuthnContext>' +
    '<saml:AuthnContextClassRef>{Context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>')

// The library wants a validator of schemas; these tests are about this suite's messages, which it parses.
samlify.setSchemaValidator({ validate: async () => 'not validated' })

export interface SamlifyOptions {
  keys: SigningPair
  /** The metadata of the service provider. */
  spMetadata: string
  isAssertionEncrypted?: boolean
  dataEncryptionAlgorithm?: string
  wantAuthnRequestsSigned?: boolean
}

/** A SAML provider of another library: reads an AuthnRequest in the HTTP-Redirect binding, and answers by HTTP POST. */
export function samlifyProvider ({ keys, spMetadata, ...options }: SamlifyOptions) {
  const sp = samlify.ServiceProvider({ metadata: spMetadata })
  const idp = samlify.IdentityProvider({
    entityID: IDP,
    privateKey: privatePem(keys),
    signingCert: keys.certificate,
    requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    messageSigningOrder: 'sign-then-encrypt',
    ...ENCRYPTION,
    nameIDFormat: [PERSISTENT],
    singleSignOnService: [{ Binding: `${BINDINGS}HTTP-Redirect`, Location: 'https://idp.example/sso' }],
    singleLogoutService: [{ Binding: `${BINDINGS}HTTP-Redirect`, Location: 'https://idp.example/slo' }],
    loginResponseTemplate: {
      context: CONTEXT,
      attributes: [
        { name: 'email', valueTag: 'email', nameFormat: 'x', valueXsiType: 'xs:string' },
        { name: 'groups', valueTag: 'group', nameFormat: 'x', valueXsiType: 'xs:string' }
      ]
    },
    ...options
  })

  return {
    idp,
    sp,
    metadata: idp.getMetadata(),

    /** Reads the request of a URL as a provider does; rejects if a signature is due and not valid. */
    async readRequest (url: URL) {
      const query = Object.fromEntries(url.searchParams)
      const octetString = url.search.slice(1).replace(/&Signature=.*$/, '')
      return await idp.parseLoginRequest(sp, 'redirect', { query, octetString })
    },

    /** Returns the form field `SAMLResponse` for a person. */
    async respond (requestId: string, person: { nameId: string, email: string, group: string }): Promise<string> {
      const acs = sp.entityMeta.getAssertionConsumerService('post') as string
      const now = new Date()
      const later = new Date(now.getTime() + 300_000).toISOString()
      const fill = (template: string) => {
        const id = newId()
        const values = {
          ID: id,
          AssertionID: newId(),
          IssueInstant: now.toISOString(),
          Destination: acs,
          SubjectRecipient: acs,
          InResponseTo: requestId,
          Issuer: IDP,
          StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
          NameIDFormat: PERSISTENT,
          NameID: person.nameId,
          ConditionsNotBefore: now.toISOString(),
          ConditionsNotOnOrAfter: later,
          SubjectConfirmationDataNotOnOrAfter: later,
          Audience: sp.entityMeta.getEntityID(),
          SessionIndex: 'samlify-session',
          Context: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
          attrEmail: person.email,
          attrGroup: person.group
        }
        return { id, context: samlify.SamlLib.replaceTagsByValue(template, values) }
      }
      const { context } = await idp.createLoginResponse(sp, { extract: { request: { id: requestId } } }, 'post',
        { email: person.email }, fill)
      return context
    }
  }
}
