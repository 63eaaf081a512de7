import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { RotateBodySchema } from './source.js'

const tags = ['admin sources']
const strict = { additionalProperties: false }
const Id = Type.String({ maxLength: 100 })
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
const Domains = Type.Unsafe<string[] | null>({
  type: ['array', 'null'],
  maxItems: 100,
  items: Type.String({ minLength: 1, maxLength: 300 }),
  description: 'The allowed origins of this key, as `domains` of a source; null: those of the source'
})

function nullableTime (description: string) {
  return Type.Unsafe<string | null>({ ...Time, type: ['string', 'null'], description })
}

const ExpiresAt = Type.Unsafe<string | null>({
  type: ['string', 'null'], format: 'date-time', maxLength: 40, description: 'A time in the future; null: never'
})

export const NewSourceKeySchema = Type.Object({
  name: Name,
  domains: Type.Optional(Domains),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  expires_at: Type.Optional(ExpiresAt),
  pipeline_key: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 136,
    description: "An existing key with the prefix of the source's environment. Default: a generated key"
  }))
}, strict)
export type NewSourceKeyBody = Static<typeof NewSourceKeySchema>

export const SourceKeyPatchSchema = Type.Object({
  name: Type.Optional(Name),
  domains: Type.Optional(Domains),
  enabled: Type.Optional(Type.Boolean()),
  expires_at: Type.Optional(ExpiresAt)
}, { ...strict, minProperties: 1 })
export type SourceKeyPatchBody = Static<typeof SourceKeyPatchSchema>

const LastUsedAt = nullableTime('Accurate to about ten minutes; null: never')

export const PreviousKeySchema = Type.Object({
  pipeline_key: Type.String({ maxLength: 256 }),
  expires_at: Type.String({ ...Time, description: 'When its overlap ends' }),
  last_used_at: LastUsedAt
})

export const SourceKeySchema = Type.Object({
  id: Id,
  pipeline_key: Type.String({ maxLength: 256 }),
  name: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 200, description: "null: the source's own key, which `rotate-key` replaces"
  }),
  domains: Domains,
  enabled: Type.Boolean(),
  expires_at: nullableTime('null: never'),
  last_used_at: LastUsedAt,
  created_at: nullableTime('null: created by an earlier version'),
  previous: Type.Unsafe<Static<typeof PreviousKeySchema> | null>({
    ...PreviousKeySchema, type: ['object', 'null'], description: 'The replaced key, while its overlap lasts'
  })
})
export type SourceKeyItem = Static<typeof SourceKeySchema>

const ofSource = Type.Object({ id: Id })
const ofKey = Type.Object({ id: Id, key_id: Id })
const written = errorReplies(400, 401, 403, 404, 409, 413, 415, 429, 500, 503)

export const createSourceKeySchema = {
  operationId: 'createSourceKey',
  summary: 'Create a named pipeline key of a source',
  description: 'The status is 409 if the name or the key is taken, or the source has reached its number of keys.',
  tags,
  params: ofSource,
  body: NewSourceKeySchema,
  response: { 201: SourceKeySchema, ...written }
}

export const listSourceKeysSchema = {
  operationId: 'listSourceKeys',
  summary: 'List the pipeline keys of a source',
  description: "The source's own key is first, then the named keys, newest first. Expired keys are listed for 30 more " +
    'days.',
  tags,
  params: ofSource,
  response: {
    200: Type.Object({ data: Type.Array(SourceKeySchema, { maxItems: 10_000 }) }),
    ...errorReplies(401, 403, 404, 429, 500, 503)
  }
}

export const readSourceKeySchema = {
  operationId: 'readSourceKey',
  summary: 'Read a pipeline key of a source',
  tags,
  params: ofKey,
  response: { 200: SourceKeySchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const patchSourceKeySchema = {
  operationId: 'patchSourceKey',
  summary: 'Change a named pipeline key',
  description: "The status is 409 for the source's own key, and if another key of the source has the name.",
  tags,
  params: ofKey,
  body: SourceKeyPatchSchema,
  response: { 200: SourceKeySchema, ...written }
}

export const rotateSourceKeySchema = {
  operationId: 'rotateSourceKey',
  summary: 'Replace the value of a pipeline key',
  description: 'The id, the settings and the expiry stay the same. The status is 409 for an expired key.',
  tags,
  params: ofKey,
  body: RotateBodySchema,
  response: { 200: SourceKeySchema, ...written }
}

export const deleteSourceKeySchema = {
  operationId: 'deleteSourceKey',
  summary: 'Delete a named pipeline key, which becomes invalid immediately',
  description: "The status is 409 for the source's own key.",
  tags,
  params: ofKey,
  response: { 204: Type.Null({ description: 'Deleted; no body' }), ...errorReplies(401, 403, 404, 409, 429, 500, 503) }
}
