import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { pageSchema } from './page.js'

const tags = ['admin auth']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const Password = Type.String({ minLength: 1, maxLength: 1024 })
const RefreshToken = Type.String({ minLength: 1, maxLength: 4096 })
const OrgId = { minLength: 1, maxLength: 100 }
const Done = Type.Null({ description: 'Done; no body' })

/** The roles of administrators, highest first. */
export const ROLES = ['owner', 'admin', 'editor', 'viewer'] as const
export type Role = typeof ROLES[number]

export const LoginBodySchema = Type.Object({
  // Any string without spaces and control characters; the store decides whether an account exists.
  email: Type.String({ minLength: 1, maxLength: 254, pattern: '^[^\\s\\p{Cc}\\p{Cs}]+$' }),
  password: Password,
  org_id: Type.Optional(Type.String({
    ...OrgId,
    description: 'The organisation to log in to. Default: the organisation of the latest login'
  }))
}, strict)
export type LoginBody = Static<typeof LoginBodySchema>

export const RefreshBodySchema = Type.Object({ refresh_token: RefreshToken }, strict)
export type RefreshBody = Static<typeof RefreshBodySchema>

const EmptyBodySchema = Type.Object({}, strict)

export const SwitchBodySchema = Type.Object({ org_id: Type.String(OrgId) }, strict)
export type SwitchBody = Static<typeof SwitchBodySchema>

export const PasswordBodySchema = Type.Object({
  current_password: Password,
  new_password: Type.String({ minLength: 12, maxLength: 1024 })
}, strict)
export type PasswordBody = Static<typeof PasswordBodySchema>

export const TokenPairSchema = Type.Object({
  access_token: Type.String({ maxLength: 4096 }),
  refresh_token: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 4096,
    description: 'Absent if the server keeps refresh tokens in a cookie'
  })),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ minimum: 1, maximum: 3600, description: 'The life of the access token, in seconds' })
})
/** The response: without `refresh_token` if it travels in a cookie. */
export type TokenReply = Static<typeof TokenPairSchema>
export type TokenPair = TokenReply & { refresh_token: string }

/** The proofs that continue a login after the password. */
export const MFA_METHODS = ['totp', 'passkey', 'recovery_code'] as const
export type MfaMethod = typeof MFA_METHODS[number]

/** Shared by the login and the routes of second factors. */
/** Contains the login at an identity provider, with its ID token. */
export const MfaToken = Type.String({ minLength: 1, maxLength: 16_384 })

export const MfaChallengeSchema = Type.Object({
  mfa_required: Type.Literal(true),
  enrolment_required: Type.Optional(Type.Literal(true, {
    description: 'The organisation requires a second factor and the user has none: set one up with the token'
  })),
  mfa_token: MfaToken,
  methods: Type.Array(Type.Union(MFA_METHODS.map((method) => Type.Literal(method))), { maxItems: 3 }),
  expires_in: Type.Integer({ minimum: 1, maximum: 3600, description: 'The life of the token, in seconds' })
})
/** The response to a login that needs a second factor: no tokens yet. */
export type MfaChallenge = Static<typeof MfaChallengeSchema>

export const LoginReplySchema = Type.Union([TokenPairSchema, MfaChallengeSchema])

export const MeSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  email: Type.String({ maxLength: 254 }),
  org_id: Type.String({ maxLength: 100 }),
  org_name: Type.String({ maxLength: 200 }),
  role: Type.String({ maxLength: 16, description: 'owner, admin, editor or viewer' }),
  session_id: Type.String({ maxLength: 100 })
})
export type Me = Static<typeof MeSchema>

export const SessionSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  org_id: Type.String({ maxLength: 100, description: 'The organisation that the session gives access to' }),
  created_at: Time,
  last_used_at: Time,
  expires_at: Type.String({ maxLength: 30, description: 'When the session ends if it is not refreshed' }),
  ip_address: Type.String({ maxLength: 64 }),
  user_agent: Type.String({ maxLength: 512 }),
  device: Type.Union([Type.String({ maxLength: 100 }), Type.Null()], {
    description: 'Browser and operating system by the User-Agent header, such as Chrome 126 on Linux'
  }),
  current: Type.Boolean({ description: 'Whether this is the session of the request' })
})
export type SessionItem = Static<typeof SessionSchema>

export const EndedSessionsSchema = Type.Object({
  ended: Type.Integer({ minimum: 0, maximum: 2 ** 31, description: 'How many sessions were ended' })
})
export type EndedSessions = Static<typeof EndedSessionsSchema>

export const OrganisationSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 200 }),
  role: Type.String({ maxLength: 16, description: 'owner, admin, editor or viewer' }),
  current: Type.Boolean({ description: 'Whether the session of the request gives access to it' })
})
export type OrganisationItem = Static<typeof OrganisationSchema>

export const loginSchema = {
  operationId: 'login',
  summary: 'Log in with email and password',
  description: 'Allows 10 attempts per minute per email and per address. 5 consecutive failures lock the account for ' +
    '15 minutes. Failures of browsers that send the cookie of an earlier login are counted separately. A user who ' +
    'needs a second factor gets `mfa_required` and a token for `/mfa/verify` instead of a pair.',
  tags,
  body: LoginBodySchema,
  response: { 200: LoginReplySchema, ...errorReplies(400, 401, 403, 413, 415, 429, 500, 503) }
}

export const refreshSchema = {
  operationId: 'refresh',
  summary: 'Exchange a refresh token for a new pair',
  description: 'The refresh token becomes invalid. Using it a second time ends all sessions of the user.',
  tags,
  body: RefreshBodySchema,
  response: { 200: TokenPairSchema, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}

export const logoutSchema = {
  operationId: 'logout',
  summary: 'End the session of a refresh token',
  description: 'The status is also 204 for a token that is already invalid.',
  tags,
  body: RefreshBodySchema,
  response: { 204: Done, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}

/** The schemas of refresh and logout if the refresh token travels in a cookie: a token in the body is refused. */
export const cookieRefreshSchema = {
  ...refreshSchema,
  summary: 'Exchange the refresh token in the cookie for a new pair',
  description: `${refreshSchema.description} The request must come from a page of this server.`,
  body: EmptyBodySchema,
  response: { ...refreshSchema.response, ...errorReplies(403) }
}

export const cookieLogoutSchema = {
  ...logoutSchema,
  summary: 'End the session of the refresh token in the cookie',
  description: 'Deletes the cookie. The status is also 204 without a cookie.',
  body: EmptyBodySchema,
  response: { ...logoutSchema.response, ...errorReplies(403) }
}

/** The schemas of refresh and logout if each request chooses between the cookie and the body. */
export const eitherRefreshSchema = {
  ...cookieRefreshSchema,
  summary: 'Exchange a refresh token for a new pair',
  description: `${refreshSchema.description} The token is in the body, or with the header \`X-Token-Delivery: cookie\` ` +
    'in the cookie, and then the request must come from a page of this server.',
  body: Type.Partial(RefreshBodySchema, strict)
}

export const eitherLogoutSchema = {
  ...cookieLogoutSchema,
  summary: logoutSchema.summary,
  description: 'The token is in the body, or with the header `X-Token-Delivery: cookie` in the cookie, which is deleted. ' +
    'The status is also 204 for a token that is already invalid.',
  body: Type.Partial(RefreshBodySchema, strict)
}

export const logoutAllSchema = {
  operationId: 'logoutAll',
  summary: 'End all sessions of the caller, including the current session',
  tags,
  response: { 204: Done, ...errorReplies(401, 429, 500, 503) }
}

export const logoutOthersSchema = {
  operationId: 'logoutOthers',
  summary: 'End the other sessions of the caller, in all organisations',
  tags,
  response: { 200: EndedSessionsSchema, ...errorReplies(401, 429, 500, 503) }
}

export const listOrganisationsSchema = {
  operationId: 'listOrganisations',
  summary: 'List the organisations of the caller, oldest membership first',
  description: 'Leaves out the organisations in which the caller is disabled.',
  tags,
  response: { 200: pageSchema(OrganisationSchema), ...errorReplies(401, 429, 500, 503) }
}

export const switchSchema = {
  operationId: 'switchOrganisation',
  summary: 'Replace the session by a session in another organisation of the caller',
  description: 'Ends the current session. The new session ends when the current session would have ended at the latest.',
  tags,
  body: SwitchBodySchema,
  response: { 200: TokenPairSchema, ...errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503) }
}

export const meSchema = {
  operationId: 'readMe',
  summary: 'Get the caller\'s account',
  tags,
  response: { 200: MeSchema, ...errorReplies(401, 429, 500, 503) }
}

export const listSessionsSchema = {
  operationId: 'listSessions',
  summary: 'List the live sessions of the caller, newest first',
  tags,
  response: { 200: pageSchema(SessionSchema), ...errorReplies(401, 429, 500, 503) }
}

export const endSessionSchema = {
  operationId: 'endSession',
  summary: 'End one session of the caller',
  tags,
  params: Type.Object({ id: Type.String({ maxLength: 100 }) }),
  response: { 204: Done, ...errorReplies(401, 404, 429, 500, 503) }
}

export const passwordSchema = {
  operationId: 'changePassword',
  summary: 'Change the password of the caller',
  description: 'Ends the other sessions. The new password needs at least 12 characters and must not be a common ' +
    'password.',
  tags,
  body: PasswordBodySchema,
  response: { 204: Done, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}
