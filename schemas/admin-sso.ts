import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { loginSchema, ROLES } from './admin-auth.js'
import type { Role } from './admin-auth.js'
import { errorReplies } from './error.js'
import { PageQuerySchema, pageSchema } from './page.js'

const tags = ['admin single sign-on']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
const RoleName = Type.Unsafe<Role>({ type: 'string', enum: [...ROLES] })
const Id = Type.String({ maxLength: 100 })
const Url = Type.String({ maxLength: 2_000 })
const Kind = Type.Unsafe<'oidc' | 'saml'>({ type: 'string', enum: ['oidc', 'saml'] })
const Secret = Type.String({ minLength: 1, maxLength: 16_384 })

export const RoleRulesSchema = Type.Object({
  claim: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 200,
    default: null,
    description: 'The claim or attribute that `mapping` looks up; null: roles are managed here alone'
  }),
  mapping: Type.Array(
    Type.Object({ value: Type.String({ minLength: 1, maxLength: 500 }), role: RoleName }, strict),
    { maxItems: 200, default: [], description: 'The highest role of all matching values applies' }
  ),
  fallback: Type.Unsafe<Role | null>({
    type: ['string', 'null'],
    enum: [...ROLES, null],
    default: 'viewer',
    description: 'The role of a person without a matching value; null: no access'
  })
}, strict)
export type RoleRulesBody = Static<typeof RoleRulesSchema>

const Settings = Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), {
  description: 'Settings of the protocol; see the pages about OpenID Connect and SAML'
})

export const NewProviderSchema = Type.Object({
  kind: Kind,
  name: Name,
  enabled: Type.Boolean({ default: true }),
  settings: Settings,
  secret: Type.Optional(Secret),
  roles: Type.Optional(RoleRulesSchema)
}, strict)
export type NewProviderBody = Static<typeof NewProviderSchema>

export const ProviderPatchSchema = Type.Object({
  name: Type.Optional(Name),
  enabled: Type.Optional(Type.Boolean()),
  settings: Type.Optional(Type.Unsafe<Record<string, unknown>>({
    ...Settings, description: 'The settings to change; null removes a setting'
  })),
  roles: Type.Optional(RoleRulesSchema)
}, { ...strict, minProperties: 1 })
export type ProviderPatchBody = Static<typeof ProviderPatchSchema>

export const RotateProviderSecretSchema = Type.Object({
  secret: Secret,
  overlap_seconds: Type.Integer({
    minimum: 0, maximum: 604_800, default: 0, description: 'How long the previous secret stays valid, in seconds'
  })
}, strict)
export type RotateProviderSecretBody = Static<typeof RotateProviderSecretSchema>

export const ProviderSchema = Type.Object({
  id: Id,
  kind: Kind,
  name: Type.String({ maxLength: 200 }),
  enabled: Type.Boolean(),
  settings: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
  roles: Type.Unsafe<RoleRulesBody>({ type: 'object', additionalProperties: true }),
  warnings: Type.Array(Type.String({ maxLength: 500 }), {
    maxItems: 20, description: 'Such as a certificate that has expired'
  }),
  urls: Type.Record(Type.String(), Type.String(), { description: 'The URLs to enter at the provider' }),
  created_at: Time,
  updated_at: Time
})
export type ProviderItem = Static<typeof ProviderSchema>

export const NewDomainSchema = Type.Object({
  domain: Type.String({ minLength: 1, maxLength: 253, description: 'Such as `example.com`, without subdomains' })
}, strict)
export type NewDomainBody = Static<typeof NewDomainSchema>

const Policy = Type.Unsafe<'optional' | 'required'>({ type: 'string', enum: ['optional', 'required'] })

export const DomainPatchSchema = Type.Object({ sso: Policy }, strict)
export type DomainPatchBody = Static<typeof DomainPatchSchema>

export const DomainSchema = Type.Object({
  id: Id,
  domain: Type.String({ maxLength: 253 }),
  sso: Policy,
  verified_at: Type.Unsafe<string | null>({ ...Time, type: ['string', 'null'], description: 'null: not proved yet' }),
  txt_name: Type.String({ maxLength: 300, description: 'The name of the TXT record that proves the domain' }),
  txt_value: Type.String({ maxLength: 300, description: 'The value of the TXT record' }),
  created_at: Time
})
export type DomainItem = Static<typeof DomainSchema>

export const IdentitySchema = Type.Object({
  provider_id: Id,
  subject: Type.String({ maxLength: 1_000 }),
  created_at: Time,
  last_login_at: Time
})
export type IdentityItem = Static<typeof IdentitySchema>

export const DiscoveryQuerySchema = Type.Object({
  email: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'The email that a person entered' }))
}, strict)
export type DiscoveryQuery = Static<typeof DiscoveryQuerySchema>

export const DiscoverySchema = Type.Object({
  required: Type.Boolean({ description: 'Whether passwords of the domain do not work' }),
  providers: Type.Array(
    Type.Object({ id: Id, kind: Kind, name: Type.String({ maxLength: 200 }), start_url: Url }),
    { maxItems: 100 }
  )
})
export type Discovery = Static<typeof DiscoverySchema>

export const StartQuerySchema = Type.Object({
  return_to: Type.Optional(Type.String({
    maxLength: 1_000, description: 'A path that the login page receives at the end, such as `/console/sources`'
  })),
  login_hint: Type.Optional(Type.String({ maxLength: 254 }))
}, strict)
export type StartQuery = Static<typeof StartQuerySchema>

export const SsoTokenBodySchema = Type.Object({ code: Type.String({ minLength: 1, maxLength: 100 }) }, strict)
export type SsoTokenBody = Static<typeof SsoTokenBodySchema>

export const SsoLogoutSchema = Type.Object({
  logout_url: Type.Unsafe<string | null>({
    ...Url, type: ['string', 'null'], description: 'Where the browser logs out at the provider as well; null: nowhere'
  })
})
export type SsoLogout = Static<typeof SsoLogoutSchema>

const read = errorReplies(400, 401, 403, 404, 429, 500, 503)
const written = errorReplies(400, 401, 403, 404, 409, 413, 415, 429, 500, 503)
const ofId = Type.Object({ id: Id })
const Done = Type.Null({ description: 'Done; no body' })

export const ssoSchemas = {
  discover: {
    operationId: 'findIdentityProviders',
    summary: 'Find the identity providers of an email',
    description: 'Depends on the domain of the email alone, so it does not tell whether an account exists. Without an ' +
      'email: the providers that the server is configured with.',
    tags,
    querystring: DiscoveryQuerySchema,
    response: { 200: DiscoverySchema, ...errorReplies(400, 429, 500, 503) }
  },
  start: {
    operationId: 'startSso',
    summary: 'Send the browser to an identity provider',
    tags,
    params: Type.Object({ kind: Kind, id: Id }),
    querystring: StartQuerySchema,
    response: { 303: Type.Null({ description: 'To the provider, or to the login page with `#sso_error=`' }), ...read }
  },
  token: {
    operationId: 'exchangeSsoCode',
    summary: 'Exchange the code of a finished login for tokens',
    description: 'The code is in the fragment of the login page, `#sso=<code>`. It works once, within two minutes, in ' +
      'the browser that logged in. The response is the one of the login with a password.',
    tags,
    body: SsoTokenBodySchema,
    response: loginSchema.response
  },
  logout: {
    operationId: 'logoutSso',
    summary: 'End the session, and get the URL that ends the one at the identity provider',
    tags,
    response: { 200: SsoLogoutSchema, ...errorReplies(401, 429, 500, 503) }
  },
  createProvider: {
    operationId: 'createIdentityProvider',
    summary: 'Create an identity provider',
    tags,
    body: NewProviderSchema,
    response: { 201: ProviderSchema, ...written }
  },
  listProviders: {
    operationId: 'listIdentityProviders',
    summary: 'List the identity providers, newest first',
    tags,
    querystring: PageQuerySchema,
    response: { 200: pageSchema(ProviderSchema), ...read }
  },
  readProvider: {
    operationId: 'readIdentityProvider',
    summary: 'Read an identity provider',
    tags,
    params: ofId,
    response: { 200: ProviderSchema, ...read }
  },
  patchProvider: {
    operationId: 'patchIdentityProvider',
    summary: 'Change an identity provider',
    tags,
    params: ofId,
    body: ProviderPatchSchema,
    response: { 200: ProviderSchema, ...written }
  },
  rotateProviderSecret: {
    operationId: 'rotateIdentityProviderSecret',
    summary: 'Replace the client secret or private key of an identity provider',
    tags,
    params: ofId,
    body: RotateProviderSecretSchema,
    response: { 200: ProviderSchema, ...written }
  },
  deleteProvider: {
    operationId: 'deleteIdentityProvider',
    summary: 'Delete an identity provider, end its sessions and unlink its identities',
    tags,
    params: ofId,
    response: { 204: Done, ...read }
  },
  createDomain: {
    operationId: 'addSsoDomain',
    summary: 'Add an email domain',
    description: 'The domain has no effect before it is proved by the TXT record of the response.',
    tags,
    body: NewDomainSchema,
    response: { 201: DomainSchema, ...written }
  },
  listDomains: {
    operationId: 'listSsoDomains',
    summary: 'List the email domains, newest first',
    tags,
    querystring: PageQuerySchema,
    response: { 200: pageSchema(DomainSchema), ...read }
  },
  readDomain: {
    operationId: 'readSsoDomain',
    summary: 'Read an email domain',
    tags,
    params: ofId,
    response: { 200: DomainSchema, ...read }
  },
  verifyDomain: {
    operationId: 'verifySsoDomain',
    summary: 'Look up the TXT record that proves an email domain',
    description: 'The status is 409 if the record is missing, or if another organisation has proved the domain; 503 if ' +
      'the name servers of the domain do not respond.',
    tags,
    params: ofId,
    response: { 200: DomainSchema, ...written }
  },
  patchDomain: {
    operationId: 'patchSsoDomain',
    summary: 'Allow or switch off the passwords of a domain',
    description: 'With `required`, only owners can log in with a password. The domain must be proved, and the ' +
      'organisation must have an enabled identity provider.',
    tags,
    params: ofId,
    body: DomainPatchSchema,
    response: { 200: DomainSchema, ...written }
  },
  deleteDomain: {
    operationId: 'deleteSsoDomain',
    summary: 'Remove an email domain',
    tags,
    params: ofId,
    response: { 204: Done, ...read }
  },
  listIdentities: {
    operationId: 'listIdentities',
    summary: 'List the identities of a user at the identity providers of the organisation',
    tags,
    params: ofId,
    response: { 200: Type.Object({ data: Type.Array(IdentitySchema, { maxItems: 1_000 }) }), ...read }
  },
  unlinkIdentity: {
    operationId: 'unlinkIdentity',
    summary: 'Unlink an identity of a user, and end its sessions',
    description: 'Needed before the provider can log in the user under another id.',
    tags,
    params: Type.Object({ id: Id, provider_id: Id }),
    response: { 204: Done, ...read }
  }
}
