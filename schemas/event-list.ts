import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { EVENT_TYPES } from './event.js'
import type { EventType } from './event.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

export const EventListQuerySchema = Type.Object({
  ...pageQuery,
  ...periodQuery,
  source_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })),
  type: Type.Optional(Type.Unsafe<EventType>({ type: 'string', enum: [...EVENT_TYPES] }))
}, { additionalProperties: false })
export type EventListQuery = Static<typeof EventListQuerySchema>

export const StoredEventSchema = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  description: 'The event as it was sent, plus `receivedAt`, `sourceId`, `authMethod`, `ip` and `userAgent`'
})

export const listEventsSchema = {
  operationId: 'listEvents',
  summary: 'List the stored events of the organisation, newest first',
  tags: ['admin events'],
  querystring: EventListQuerySchema,
  response: { 200: pageSchema(StoredEventSchema), ...errorReplies(400, 401, 403, 404, 429, 500, 503) }
}
