import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

const tags = ['admin saml']
const strict = { additionalProperties: false }

const Url = (description: string) => Type.String({ minLength: 8, maxLength: 2_000, description })
const Flag = (description: string) => Type.Boolean({ description })
const Certificates = (maxItems: number, description: string) => Type.Array(Type.String({
  minLength: 100, maxLength: 8_000
}), { minItems: 1, maxItems, uniqueItems: true, description })
const Uri = Type.String({ minLength: 1, maxLength: 1_000, pattern: '^[^\\s\\p{Cc}\\p{Cs}]+$' })
const AttributeName = Type.String({ minLength: 1, maxLength: 300, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })

/** The formats of a NameID that identify a person at each login. */
export const NAME_ID_FORMATS = [
  'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'
] as const

const required = {
  entry_point: Url('The login URL of the provider: its SingleSignOnService with the HTTP-Redirect binding'),
  idp_entity_id: Type.String({ ...Uri, description: 'The entity id (issuer) of the provider' }),
  certificates: Certificates(5, 'The signing certificates of the provider (PEM, RSA). All are accepted')
}
const optional = {
  name_id_format: Type.Unsafe<typeof NAME_ID_FORMATS[number]>({
    type: 'string', enum: [...NAME_ID_FORMATS], description: 'The requested NameID. Default: persistent'
  }),
  email_attribute: Type.String({
    ...AttributeName, description: 'The attribute with the email. Default: the usual names, then a NameID of that format'
  }),
  trust_mfa: Type.Array(Uri, {
    maxItems: 20,
    uniqueItems: true,
    description: 'Values of AuthnContextClassRef, or of the authentication methods of Entra ID, that prove a second factor. ' +
      'Default: none'
  }),
  allow_idp_initiated: Flag('Accept logins that start at the provider. Default: false'),
  logout_url: Url('The SingleLogoutService of the provider. Default: no logout at the provider'),
  logout_binding: Type.Unsafe<'redirect' | 'post'>({
    type: 'string', enum: ['redirect', 'post'], description: 'The binding of `logout_url`. Default: redirect'
  }),
  sign_requests: Flag('Sign AuthnRequests. Needs a private key. Default: false'),
  want_response_signed: Flag('Refuse a response that is not signed around its signed assertion. Default: false'),
  clock_skew_seconds: Type.Integer({ minimum: 0, maximum: 180, description: 'Default: 60' }),
  sp_certificates: Certificates(3, 'The certificates of the private keys, that of the newest key first')
}

/** The stored settings of a SAML provider, and those of the host's options. */
export const SamlSettingsSchema = Type.Composite([Type.Object(required), Type.Partial(Type.Object(optional))], strict)
export type SamlSettings = Static<typeof SamlSettingsSchema>

/** The settings in bodies of the admin API: by hand, or from the metadata of the provider. */
export const SamlSettingsBodySchema = Type.Partial(Type.Object({
  metadata_xml: Type.String({
    minLength: 1,
    maxLength: 200_000,
    description: 'The metadata of the provider, from which the settings that are not given are read'
  }),
  ...required,
  ...optional
}), strict)
export type SamlSettingsBody = Static<typeof SamlSettingsBodySchema>

const ofProvider = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) })
const message = Type.String({ maxLength: 300_000, description: 'base64' })
const relayState = Type.String({ maxLength: 2_000 })
const redirected = { 303: Type.Null({ description: 'To the login page, with a code or with `#sso_error=`' }) }

/** Reads the fields of a message; others, which providers add, are ignored. */
export const AcsBodySchema = Type.Object({
  SAMLResponse: message,
  RelayState: Type.Optional(relayState)
})
export type AcsBody = Static<typeof AcsBodySchema>

export const SloMessageSchema = Type.Object({
  SAMLRequest: Type.Optional(message),
  SAMLResponse: Type.Optional(message),
  RelayState: Type.Optional(relayState),
  SigAlg: Type.Optional(Type.String({ maxLength: 200 })),
  Signature: Type.Optional(Type.String({ maxLength: 4_000 }))
})
export type SloMessage = Static<typeof SloMessageSchema>

export const samlMetadataRouteSchema = {
  operationId: 'getSamlMetadata',
  summary: 'Returns the SAML metadata of this service provider for one identity provider',
  tags,
  params: ofProvider,
  response: { 200: Type.String({ description: 'XML' }), ...errorReplies(404, 429, 500, 503) }
}

export const samlAcsRouteSchema = {
  operationId: 'consumeSamlAssertion',
  summary: 'Receives the response of a SAML provider to a login',
  tags,
  consumes: ['application/x-www-form-urlencoded'],
  params: ofProvider,
  body: AcsBodySchema,
  response: { ...redirected, ...errorReplies(400, 404, 413, 415, 429, 500, 503) }
}

const logout = {
  tags,
  params: ofProvider,
  response: {
    200: Type.String({ description: 'A page that posts the LogoutResponse to the provider' }),
    303: Type.Null({ description: 'To the provider with the LogoutResponse, or to the login page' })
  }
}
export const samlLogoutByRedirectRouteSchema = {
  ...logout,
  operationId: 'receiveSamlLogoutByRedirect',
  summary: 'Receives a LogoutRequest or LogoutResponse of a SAML provider by HTTP redirect',
  querystring: SloMessageSchema,
  response: { ...logout.response, ...errorReplies(400, 404, 429, 500, 503) }
}
export const samlLogoutByPostRouteSchema = {
  ...logout,
  operationId: 'receiveSamlLogoutByPost',
  summary: 'Receives a LogoutRequest or LogoutResponse of a SAML provider by HTTP POST',
  consumes: ['application/x-www-form-urlencoded'],
  body: SloMessageSchema,
  response: { ...logout.response, ...errorReplies(400, 404, 413, 415, 429, 500, 503) }
}
export const samlSubmitScriptRouteSchema = {
  operationId: 'getSamlSubmitScript',
  summary: 'Returns the script of the page that posts a LogoutResponse',
  tags,
  response: { 200: Type.String({ description: 'JavaScript' }), ...errorReplies(429, 500) }
}
