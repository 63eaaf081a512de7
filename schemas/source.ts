import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { PageQuerySchema, pageSchema } from './page.js'

const tags = ['admin sources']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const PIXEL_TYPES = ['track', 'page', 'identify', 'group'] as const

function oneOf<Value extends string> (values: readonly Value[], description: string) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values], description })
}

function quota (period: string) {
  return Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 1_000_000_000_000,
    description: `Maximum number of accepted events per ${period} (UTC); null: no limit`
  })
}

const settings = {
  name: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' }),
  environment: oneOf(['live', 'test'], 'The environment of its events. A change replaces the pipeline key'),
  domains: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
    maxItems: 100,
    description: 'The allowed origins: exact origins of any scheme (`capacitor://localhost`), hosts (https), or ' +
      '`*.example.com` for subdomains'
  }),
  allow_any_origin: Type.Boolean({ description: 'Accept requests from every origin' }),
  allow_null_origin: Type.Boolean({
    description: 'Accept the origin `null`: sandboxed frames of any site, such as custom pixels of a shop'
  }),
  require_signature: oneOf(['never', 'without_origin', 'always'], 'Whether requests must be signed'),
  require_timestamp: Type.Boolean({ description: 'Accept only signatures with a timestamp' }),
  enabled: Type.Boolean(),
  rate_limit: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of events per second; null: the default of the server'
  }),
  pixel_types: Type.Array(oneOf(PIXEL_TYPES, 'An event type'), {
    maxItems: 4, uniqueItems: true, description: 'The event types that the pixel accepts'
  }),
  signed_repeats: oneOf(
    ['keep', 'drop'], 'Whether a repeated signed event without a messageId is stored again or dropped as a duplicate'
  ),
  keep_refused: Type.Boolean({ description: 'Keep refused events for a while, so that they can be read and replayed' }),
  daily_quota: quota('day'),
  monthly_quota: quota('calendar month'),
  bots: oneOf(
    ['tag', 'drop', 'ignore'], 'Events of bots: marked with `context.bot`, acknowledged but not stored, or not detected'
  )
}

export const SourcePatchSchema = Type.Partial(Type.Object(settings), { ...strict, minProperties: 1 })
export type SourcePatchBody = Static<typeof SourcePatchSchema>

export const NewSourceSchema = Type.Composite([
  Type.Object({ name: settings.name }),
  Type.Partial(Type.Object({
    ...settings,
    pipeline_key: Type.String({
      minLength: 1,
      maxLength: 136,
      description: 'An existing key: dk_live_ or dk_test_ and 6 to 128 letters, digits, "_" or "-". The prefix must ' +
        'match the environment. A key that another organisation has used is refused.'
    }),
    server_secret: Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'An existing secret of at least 16 bytes: a string, `hex:…` or `base64:…`'
    })
  }))
], strict)
export type NewSourceBody = Static<typeof NewSourceSchema>

export const RotateBodySchema = Type.Object({
  overlap_seconds: Type.Integer({
    minimum: 0, maximum: 604_800, default: 0, description: 'How long the previous one stays valid, in seconds'
  })
}, strict)
export type RotateBody = Static<typeof RotateBodySchema>

export const SourceSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  ...settings,
  // A stored value may be older than a validation rule, so these rules are looser.
  name: Type.String({ maxLength: 200 }),
  pipeline_key: Type.String({ maxLength: 256 }),
  server_secret_prefix: Type.String({ maxLength: 64, description: 'The first characters of the newest server secret' }),
  created_at: Time,
  updated_at: Time
})
export type SourceItem = Static<typeof SourceSchema>

export const SourceWithSecretSchema = Type.Composite([SourceSchema, Type.Object({
  server_secret: Type.String({ maxLength: 1024, description: 'Returned only by this response' })
})])
export type SourceWithSecret = Static<typeof SourceWithSecretSchema>

const params = Type.Object({ id: Type.String({ maxLength: 100 }) })

export const createSourceSchema = {
  operationId: 'createSource',
  summary: 'Create a source',
  description: 'Only this response contains the server secret. The status is 409 if the pipeline key is in use or ' +
    'the organisation has reached its number of sources.',
  tags,
  body: NewSourceSchema,
  response: { 201: SourceWithSecretSchema, ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 503) }
}

export const listSourcesSchema = {
  operationId: 'listSources',
  summary: 'List the sources, newest first',
  tags,
  querystring: PageQuerySchema,
  response: { 200: pageSchema(SourceSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const readSourceSchema = {
  operationId: 'readSource',
  summary: 'Read a source',
  tags,
  params,
  response: { 200: SourceSchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const patchSourceSchema = {
  operationId: 'patchSource',
  summary: 'Change a source',
  tags,
  params,
  body: SourcePatchSchema,
  response: { 200: SourceSchema, ...errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503) }
}

export const deleteSourceSchema = {
  operationId: 'deleteSource',
  summary: 'Delete a source; its keys become invalid immediately',
  tags,
  params,
  response: { 204: Type.Null({ description: 'Deleted; no body' }), ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const rotateKeySchema = {
  operationId: 'rotateKey',
  summary: 'Replace the pipeline key',
  tags,
  params,
  body: RotateBodySchema,
  response: { 200: SourceSchema, ...errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503) }
}

export const rotateSecretSchema = {
  operationId: 'rotateSecret',
  summary: 'Replace the server secret',
  description: 'Only this response contains the new secret.',
  tags,
  params,
  body: RotateBodySchema,
  response: { 200: SourceWithSecretSchema, ...errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503) }
}
