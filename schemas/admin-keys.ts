import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { ROLES } from './admin-auth.js'
import type { Role } from './admin-auth.js'
import { errorReplies } from './error.js'
import { PageQuerySchema, pageSchema } from './page.js'
import { RotateBodySchema } from './source.js'

const tags = ['admin keys']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })

/** The permissions of the admin API that an API key can have. */
export const PERMISSION_NAMES = [
  'sources:read',
  'sources:write',
  'sources:delete',
  'sources:rotate',
  'webhooks:read',
  'webhooks:write',
  'webhooks:delete',
  'webhooks:rotate',
  'events:read',
  'stats:read',
  'events:replay',
  'embeds:read',
  'embeds:revoke',
  'audit:read',
  'scim:manage'
] as const
export type PermissionName = typeof PERMISSION_NAMES[number]

const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
const RoleName = Type.Unsafe<Role>({ type: 'string', enum: [...ROLES], description: 'At most the role of the caller' })
const PermissionList = Type.Array(Type.String({ minLength: 3, maxLength: 129 }), { maxItems: 100 })

export const NewApiKeySchema = Type.Object({
  name: Name,
  role: RoleName,
  permissions: Type.Optional(Type.Array(Type.String({ minLength: 3, maxLength: 129 }), {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
    description: 'Names from `GET /permissions`, which limit the role. Default: all permissions of the role'
  })),
  expires_in_days: Type.Optional(Type.Integer({
    minimum: 1, maximum: 3_650, description: 'When the key expires, days from now. Default: never'
  })),
  expires_at: Type.Optional(Type.String({
    format: 'date-time', maxLength: 40, description: 'The same as a time in the future (ISO-8601)'
  }))
}, strict)
export type NewApiKeyBody = Static<typeof NewApiKeySchema>

export const ApiKeyPatchSchema = Type.Object({ name: Name }, strict)
export type ApiKeyPatchBody = Static<typeof ApiKeyPatchSchema>

export const ApiKeySchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 200 }),
  prefix: Type.String({ maxLength: 64, description: 'The first characters of the key' }),
  role: Type.String({ maxLength: 16, description: 'owner, admin, editor or viewer' }),
  permissions: Type.Unsafe<string[] | null>({
    ...PermissionList, type: ['array', 'null'], description: 'null: all permissions of the role'
  }),
  expires_at: Type.Unsafe<string | null>({ ...Time, type: ['string', 'null'], description: 'null: never' }),
  last_used_at: Type.Unsafe<string | null>({
    ...Time, type: ['string', 'null'], description: 'Accurate to about a minute; null: never'
  }),
  created_by: Type.String({ maxLength: 100, description: 'Id of the user who created the key' }),
  created_at: Time
})
export type ApiKeyItem = Static<typeof ApiKeySchema>

export const ApiKeyWithSecretSchema = Type.Composite([ApiKeySchema, Type.Object({
  key: Type.String({ maxLength: 64, description: 'The key, `gh_…`. Returned only by this response' })
})])
export type ApiKeyWithSecret = Static<typeof ApiKeyWithSecretSchema>

const ofKey = Type.Object({ id: Type.String({ maxLength: 100 }) })
const written = errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503)

export const createApiKeySchema = {
  operationId: 'createApiKey',
  summary: 'Create an API key',
  description: 'Only this response contains the key. The status is 409 if the organisation has reached its number of ' +
    'API keys.',
  tags,
  body: NewApiKeySchema,
  response: { 201: ApiKeyWithSecretSchema, ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 503) }
}

export const listApiKeysSchema = {
  operationId: 'listApiKeys',
  summary: 'List the API keys, newest first',
  description: 'Expired keys are listed for 30 more days.',
  tags,
  querystring: PageQuerySchema,
  response: { 200: pageSchema(ApiKeySchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const readApiKeySchema = {
  operationId: 'readApiKey',
  summary: 'Read an API key',
  tags,
  params: ofKey,
  response: { 200: ApiKeySchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const patchApiKeySchema = {
  operationId: 'patchApiKey',
  summary: 'Rename an API key',
  tags,
  params: ofKey,
  body: ApiKeyPatchSchema,
  response: { 200: ApiKeySchema, ...written }
}

export const rotateApiKeySchema = {
  operationId: 'rotateApiKey',
  summary: 'Replace an API key',
  description: 'Only this response contains the new key. The id, the role and the expiry stay the same.',
  tags,
  params: ofKey,
  body: RotateBodySchema,
  response: { 200: ApiKeyWithSecretSchema, ...written }
}

export const deleteApiKeySchema = {
  operationId: 'deleteApiKey',
  summary: 'Revoke an API key',
  tags,
  params: ofKey,
  response: { 204: Type.Null({ description: 'Revoked; no body' }), ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const listPermissionsSchema = {
  operationId: 'listPermissions',
  summary: 'List the permissions that an API key can have',
  tags,
  response: {
    200: Type.Object({ data: PermissionList }),
    ...errorReplies(401, 403, 429, 500, 503)
  }
}
