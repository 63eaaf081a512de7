import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

const tags = ['admin embeds']
const strict = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
/** Refuses invisible characters: a request never matches a name that contains them. */
const DashboardId = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Default_Ignorable_Code_Point}]+$',
  description: 'An id or a path. Stored in canonical spelling; every spelling matches'
})
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const StringOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1024 })
const ForAdmins = Type.Unsafe<string | null>({ ...StringOrNull, description: 'null for roles below admin' })

function oneOf<const Value extends string> (values: readonly Value[], more: object = {}) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values], ...more })
}

const Kind = oneOf(['user', 'tenant', 'dashboard'])
const Product = oneOf(['databrain', 'boldbi', 'dxfeed'])
const Outcome = oneOf(['granted', 'refused'])

export const RevokeEmbedsSchema = Type.Object({
  user_id: Type.Optional(Id),
  tenant_id: Type.Optional(Id),
  dashboard_id: Type.Optional(DashboardId),
  before: Type.Optional(Type.String({
    format: 'date-time',
    maxLength: 40,
    description: 'Embeds issued before this time become invalid (ISO-8601). A future time, at most 10 years ahead, ' +
      'blocks new embeds until then. Default: now'
  }))
}, strict)
export type RevokeEmbedsBody = Static<typeof RevokeEmbedsSchema>

export const RevocationSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  kind: Kind,
  subject: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    maxLength: 256,
    description: 'The id of the user, tenant or dashboard. The id of a user is null for roles below admin'
  }),
  before: Time,
  created_at: Type.String({ maxLength: 30, description: 'When this revocation was created' }),
  created_by: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    maxLength: 256,
    description: 'The id of the administrator who created it; null for roles below admin'
  })
})
export type RevocationItem = Static<typeof RevocationSchema>

const SUBJECT = 'Every spelling of a dashboard name matches. Roles below admin may use this filter only with `kind` ' +
  '`tenant` or `dashboard`; otherwise the status is 403'

export const RevocationQuerySchema = Type.Object({
  ...pageQuery,
  kind: Type.Optional(Kind),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 256, pattern: Id.pattern ?? '', description: SUBJECT }))
}, strict)
export type RevocationQuery = Static<typeof RevocationQuerySchema>

export const EmbedQuerySchema = Type.Object({
  ...pageQuery,
  ...periodQuery,
  user_id: Type.Optional(Type.String({ ...Id, description: 'For roles admin and owner only; 403 for other roles' })),
  product: Type.Optional(Product),
  outcome: Type.Optional(Outcome)
}, strict)
export type EmbedQuery = Static<typeof EmbedQuerySchema>

export const EmbedDecisionSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  product: Product,
  outcome: Outcome,
  error: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 64, description: 'The error code of a refusal; null for a granted request'
  }),
  user_id: ForAdmins,
  user_email: ForAdmins,
  resource_id: Type.Unsafe<string | null>({
    ...StringOrNull, description: 'The requested resource, or a digest of the issued token'
  }),
  ip_address: ForAdmins,
  user_agent: ForAdmins,
  timestamp: Time,
  details: Type.Unknown({
    description: 'Additional details, an object. `repeats` is the number of further equal refusals within the ' +
      'minute. Null for roles below admin'
  })
})
export type EmbedDecisionItem = Static<typeof EmbedDecisionSchema>

export const revokeEmbedsSchema = {
  operationId: 'revokeEmbeds',
  summary: 'Revoke the embeds of a user, a tenant or a dashboard',
  description: 'Give exactly one of `user_id`, `tenant_id` and `dashboard_id`. An existing revocation is only moved ' +
    'to a later time, never to an earlier one. Takes effect on every instance within a second.',
  tags,
  body: RevokeEmbedsSchema,
  response: { 200: RevocationSchema, ...errorReplies(400, 401, 403, 413, 415, 429, 500, 503) }
}

export const listRevocationsSchema = {
  operationId: 'listRevocations',
  summary: 'List the revocations of embeds, newest first',
  tags,
  querystring: RevocationQuerySchema,
  response: { 200: pageSchema(RevocationSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const liftRevocationSchema = {
  operationId: 'liftRevocation',
  summary: 'Delete a revocation, so that earlier embeds are valid again',
  tags,
  params: Type.Object({ id: Type.String({ maxLength: 100 }) }),
  response: { 204: Type.Null({ description: 'Deleted; no body' }), ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const listEmbedsSchema = {
  operationId: 'listEmbeds',
  summary: 'List the requests that the embedding routes granted and refused, newest first',
  tags,
  querystring: EmbedQuerySchema,
  response: { 200: pageSchema(EmbedDecisionSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}
