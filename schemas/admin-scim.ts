import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { ROLES } from './admin-auth.js'
import type { Role } from './admin-auth.js'
import { errorReplies } from './error.js'

const tags = ['admin scim']
const RoleName = Type.Unsafe<Role>({ type: 'string', enum: [...ROLES] })

const fields = {
  group_roles: Type.Array(
    Type.Object({
      group: Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\p{Cc}\\p{Cs}]+$', description: 'A displayName' }),
      role: RoleName
    }, { additionalProperties: false }),
    { maxItems: 100, description: "Roles by group; the highest role of a user's groups applies" }
  ),
  default_role: Type.Unsafe<Role>({
    ...RoleName, description: 'The role of a new user, and of a user who leaves the last group with a role'
  })
}

export const ScimSettingsSchema = Type.Object({
  ...fields,
  base_path: Type.String({ maxLength: 1_000, description: 'The path of the SCIM routes, such as `/scim/v2`' })
})
export type ScimSettingsItem = Static<typeof ScimSettingsSchema>

export const ScimSettingsPatchSchema = Type.Partial(Type.Object(fields), { additionalProperties: false })
export type ScimSettingsPatch = Static<typeof ScimSettingsPatchSchema>

export const readScimSettingsSchema = {
  operationId: 'readScimSettings',
  summary: 'Read the roles of provisioned users',
  tags,
  response: { 200: ScimSettingsSchema, ...errorReplies(401, 403, 429, 500, 503) }
}

export const patchScimSettingsSchema = {
  operationId: 'patchScimSettings',
  summary: 'Set the roles of provisioned users',
  description: 'The members of a group whose role changes get their new role at once. The status is 409 if the ' +
    'organisation would have no enabled owner: the settings then apply, and one owner keeps the role.',
  tags,
  body: ScimSettingsPatchSchema,
  response: { 200: ScimSettingsSchema, ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 503) }
}
