import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

const TYPES = ['key.expiring', 'quota.warning', 'quota.exceeded'] as const
const SUBJECTS = ['pipeline_key', 'replaced_pipeline_key', 'api_key', 'source'] as const
const PERIODS = ['day', 'month'] as const

const QuotaSchema = Type.Object({
  period: Type.Unsafe<typeof PERIODS[number]>({ type: 'string', enum: [...PERIODS] }),
  limit: Type.Integer({ minimum: 1 }),
  used: Type.Integer({ minimum: 0, description: 'Accepted events of the period' })
})

export const NoticeSchema = Type.Object({
  type: Type.Unsafe<typeof TYPES[number]>({ type: 'string', enum: [...TYPES] }),
  subject: Type.Unsafe<typeof SUBJECTS[number]>({ type: 'string', enum: [...SUBJECTS] }),
  resource_id: Type.String({ maxLength: 100, description: 'Id of the source, or of the API key' }),
  name: Type.String({ maxLength: 200, description: 'Name of the source, or of the API key' }),
  key_name: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 200, description: "Name of the pipeline key; null: the source's own key"
  }),
  ends_at: Type.String({
    maxLength: 30, description: 'When the key stops working, or the period of the quota ends: ISO-8601, UTC'
  }),
  quota: Type.Unsafe<Static<typeof QuotaSchema> | null>({
    ...QuotaSchema, type: ['object', 'null'], description: 'The used quota; null for keys'
  })
})
export type NoticeItem = Static<typeof NoticeSchema>

export const listNoticesSchema = {
  operationId: 'listNotices',
  summary: 'List the keys that stop working within 14 days, and the quotas that are used by 80 % or more',
  tags: ['admin sources'],
  response: {
    200: Type.Object({ data: Type.Array(NoticeSchema, { maxItems: 1_000 }) }),
    ...errorReplies(401, 403, 429, 500, 503)
  }
}
