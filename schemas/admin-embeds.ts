import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

const tags = ['admin embeds']
const strict = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
/** Nor with what can't be seen: a page is refused for it, so that such a name would never be found. */
const DashboardId = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Default_Ignorable_Code_Point}]+$',
  description: 'By id or by path; kept in one spelling, and found in any'
})
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const TextOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1024 })
const ForAdmins = Type.Unsafe<string | null>({ ...TextOrNull, description: 'null for roles below admin' })

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
    description: 'Nothing that was issued before this time counts any more (ISO-8601); one that lies ahead, by 10 years at most, is a block until then. Default: now'
  }))
}, strict)
export type RevokeEmbedsBody = Static<typeof RevokeEmbedsSchema>

export const RevocationSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  kind: Kind,
  subject: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 256, description: 'The id of the user, tenant or dashboard; of a user null for roles below admin'
  }),
  before: Time,
  created_at: Type.String({ maxLength: 30, description: 'When this cut-off was set' }),
  created_by: Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 256, description: 'The id of the administrator who set it; null for roles below admin' })
})
export type RevocationItem = Static<typeof RevocationSchema>

const SUBJECT = 'A dashboard is found by any spelling of its name. Roles below admin may filter by it with `kind` `tenant` or `dashboard` only (else 403)'

export const RevocationQuerySchema = Type.Object({
  ...pageQuery,
  kind: Type.Optional(Kind),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 256, pattern: Id.pattern ?? '', description: SUBJECT }))
}, strict)
export type RevocationQuery = Static<typeof RevocationQuerySchema>

export const EmbedQuerySchema = Type.Object({
  ...pageQuery,
  ...periodQuery,
  user_id: Type.Optional(Type.String({ ...Id, description: 'For admins and owners alone; 403 for other roles' })),
  product: Type.Optional(Product),
  outcome: Type.Optional(Outcome)
}, strict)
export type EmbedQuery = Static<typeof EmbedQuerySchema>

export const EmbedDecisionSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  product: Product,
  outcome: Outcome,
  error: Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 64, description: 'Why it was refused, a code; null for what was granted' }),
  user_id: ForAdmins,
  user_email: ForAdmins,
  resource_id: Type.Unsafe<string | null>({ ...TextOrNull, description: 'What was asked for, or a digest of what was handed out' }),
  ip_address: ForAdmins,
  user_agent: ForAdmins,
  timestamp: Time,
  details: Type.Unknown({ description: 'What else is known of it, an object; `repeats`: how many more of the same were refused within the minute; null for roles below admin' })
})
export type EmbedDecisionItem = Static<typeof EmbedDecisionSchema>

export const revokeEmbedsSchema = {
  summary: 'Revoke the embeds of a user, a tenant or a dashboard',
  description: 'Exactly one of the three. A cut-off that is there is only ever raised. Acts on every instance within a second.',
  tags,
  body: RevokeEmbedsSchema,
  response: { 200: RevocationSchema, ...errorReplies(400, 401, 403, 413, 415, 429, 500, 503) }
}

export const listRevocationsSchema = {
  summary: 'List the revocations of embeds, newest first',
  tags,
  querystring: RevocationQuerySchema,
  response: { 200: pageSchema(RevocationSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const liftRevocationSchema = {
  summary: 'Lift a revocation: what was issued before counts again',
  tags,
  params: Type.Object({ id: Type.String({ maxLength: 100 }) }),
  response: { 204: Type.Null({ description: 'Lifted; no body' }), ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const listEmbedsSchema = {
  summary: 'List what the embedding routes granted and refused, newest first',
  tags,
  querystring: EmbedQuerySchema,
  response: { 200: pageSchema(EmbedDecisionSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}
