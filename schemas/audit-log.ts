import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

const Id = Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
const StringOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1024 })

export const AuditLogQuerySchema = Type.Object({
  ...pageQuery,
  ...periodQuery,
  action: Type.Optional(Type.String({
    minLength: 1, maxLength: 64, pattern: '^[a-z0-9_.]+$', description: 'For example `source.created`'
  })),
  user_id: Type.Optional(Id),
  resource_type: Type.Optional(Id),
  resource_id: Type.Optional(Id)
}, { additionalProperties: false })
export type AuditLogQuery = Static<typeof AuditLogQuerySchema>

export const AuditLogItemSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  action: Type.String({ maxLength: 64 }),
  user_id: StringOrNull,
  user_email: StringOrNull,
  resource_type: StringOrNull,
  resource_id: StringOrNull,
  changes: Type.Unknown({ description: 'The changed properties, an object, or null' }),
  ip_address: StringOrNull,
  user_agent: StringOrNull,
  timestamp: Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
})
export type AuditLogItem = Static<typeof AuditLogItemSchema>

export const listAuditLogsSchema = {
  operationId: 'listAuditLogs',
  summary: 'List the audit entries of the organisation, newest first',
  tags: ['admin audit logs'],
  querystring: AuditLogQuerySchema,
  response: { 200: pageSchema(AuditLogItemSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}
