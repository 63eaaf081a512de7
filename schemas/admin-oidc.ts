import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

const tags = ['admin single sign-on']
const strict = { additionalProperties: false }
const ClaimName = { minLength: 1, maxLength: 128 }

/** The ways in which the server authenticates at a token endpoint. */
export const TOKEN_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const
export type TokenAuthMethod = typeof TOKEN_AUTH_METHODS[number]

/** The signature algorithms of ID tokens. `none` and algorithms with a shared secret are not possible. */
export const ID_TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type IdTokenAlgorithm = typeof ID_TOKEN_ALGORITHMS[number]

const PROMPTS = ['login', 'select_account', 'consent'] as const

/** The settings of a provider of OpenID Connect. */
export const OidcSettingsSchema = Type.Object({
  issuer: Type.String({
    minLength: 1,
    maxLength: 512,
    description: 'The exact `iss` of the ID tokens: an https URL, with its slash at the end if it has one'
  }),
  client_id: Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\x20-\\x7E]+$' }),
  scopes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128, pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$' }), {
    maxItems: 20,
    uniqueItems: true,
    description: 'Must contain `openid`. Default: openid, email, profile'
  })),
  token_endpoint_auth_method: Type.Optional(Type.Unsafe<TokenAuthMethod>({
    type: 'string', enum: [...TOKEN_AUTH_METHODS], description: 'Default: client_secret_basic'
  })),
  id_token_signed_response_alg: Type.Optional(Type.Unsafe<IdTokenAlgorithm>({
    type: 'string', enum: [...ID_TOKEN_ALGORITHMS], description: 'The only accepted algorithm. Default: RS256'
  })),
  email_claim: Type.Optional(Type.String({ ...ClaimName, description: 'Default: email' })),
  email_verified_claim: Type.Optional(Type.String({
    ...ClaimName, description: 'The claim that confirms the email. Default: email_verified'
  })),
  trust_email: Type.Optional(Type.Boolean({
    description: 'Accepts every email of the provider as confirmed. Default: false'
  })),
  tenant: Type.Optional(Type.String({ ...ClaimName, description: 'The value that the claim `tid` must have' })),
  hosted_domain: Type.Optional(Type.String({
    minLength: 1, maxLength: 253, description: 'The value that the claim `hd` must have'
  })),
  trust_mfa: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    maxItems: 20,
    uniqueItems: true,
    description: 'Values of `amr` or `acr` that stand for a second factor. Default: none'
  })),
  prompt: Type.Optional(Type.Unsafe<typeof PROMPTS[number]>({
    type: 'string', enum: [...PROMPTS], description: 'What the provider asks the person for. Default: its own decision'
  })),
  end_session: Type.Optional(Type.Boolean({
    description: 'Whether a logout goes on to the page of the provider. Default: true'
  }))
}, strict)
export type OidcSettings = Static<typeof OidcSettingsSchema>

const OfProvider = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) })

export const OidcCallbackQuerySchema = Type.Object({
  code: Type.Optional(Type.String({ maxLength: 4_096 })),
  state: Type.Optional(Type.String({ maxLength: 1_024 })),
  iss: Type.Optional(Type.String({ maxLength: 1_024 })),
  error: Type.Optional(Type.String({ maxLength: 256 })),
  error_description: Type.Optional(Type.String({ maxLength: 4_096 }))
})
export type OidcCallbackQuery = Static<typeof OidcCallbackQuerySchema>

export const oidcCallbackSchema = {
  operationId: 'finishOidcLogin',
  tags,
  summary: 'Finish a login at a provider of OpenID Connect',
  description: 'The redirect URI: the browser comes here from the provider and goes on to the login page.',
  security: [],
  params: OfProvider,
  querystring: OidcCallbackQuerySchema,
  response: {
    303: Type.Null({ description: 'To the login page, with a code or the reason of the refusal' }),
    ...errorReplies(400, 404, 429, 500, 503)
  }
}

export const LogoutTokenBodySchema = Type.Object({ logout_token: Type.String({ minLength: 1, maxLength: 16_384 }) })
export type LogoutTokenBody = Static<typeof LogoutTokenBodySchema>

export const LogoutTokenRefusalSchema = Type.Object({
  error: Type.Literal('invalid_request'),
  error_description: Type.String({ maxLength: 200 })
}, { description: 'The logout token is not valid' })

export const backchannelLogoutSchema = {
  operationId: 'receiveOidcLogout',
  tags,
  summary: 'End sessions for the logout token of a provider',
  description: 'OpenID Connect Back-Channel Logout 1.0: called by the provider, with a form.',
  consumes: ['application/x-www-form-urlencoded'],
  security: [],
  params: OfProvider,
  body: LogoutTokenBodySchema,
  response: {
    200: Type.Null({ description: 'The sessions have ended; no body' }),
    400: LogoutTokenRefusalSchema,
    ...errorReplies(404, 413, 415, 429, 500, 503)
  }
}
