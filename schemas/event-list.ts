import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { EVENT_TYPES } from './event.js'
import type { EventType } from './event.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

/** The parameters that may contain any string that a client may send in an event. */
export const EXACT_PARAMETERS = ['message_id', 'user_id', 'anonymous_id', 'event'] as const

/** The query parameters that select events. */
export const eventQuery = {
  ...periodQuery,
  source_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })),
  type: Type.Optional(Type.Unsafe<EventType>({ type: 'string', enum: [...EVENT_TYPES] })),
  message_id: exact(100, 'The `messageId` of the event'),
  user_id: exact(512, 'The `userId` of the event'),
  anonymous_id: exact(512, 'The `anonymousId` of the event'),
  event: exact(1_000, 'The name of the event, its property `event`'),
  timestamp_from: Type.Optional(Type.String({
    format: 'date-time', maxLength: 40, description: 'The event happened not before this time (ISO-8601)'
  })),
  timestamp_to: Type.Optional(Type.String({
    format: 'date-time', maxLength: 40, description: 'The event happened not after this time (ISO-8601)'
  }))
}

export const EventListQuerySchema = Type.Object({ ...pageQuery, ...eventQuery }, { additionalProperties: false })
export type EventListQuery = Static<typeof EventListQuerySchema>

export const StoredEventSchema = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
  properties: { id: { type: 'string', description: 'The id of the event on this server, `evt_…`' } },
  description: 'The event as it was sent, plus `id`, `receivedAt`, `sourceId`, `authMethod`, `ip` and `userAgent`'
})

export const EventParamsSchema = Type.Object({
  // Any other string is 404, as an unknown id is.
  id: Type.String({ maxLength: 200, description: 'The `id` of a listed event' })
})
export type EventParams = Static<typeof EventParamsSchema>

export const listEventsSchema = {
  operationId: 'listEvents',
  summary: 'List the stored events of the organisation, newest first',
  description: 'A search for few of many events returns short or empty pages with `has_more` true; continue with ' +
    '`next_cursor`.',
  tags: ['admin events'],
  querystring: EventListQuerySchema,
  response: { 200: pageSchema(StoredEventSchema), ...errorReplies(400, 401, 403, 404, 429, 500, 503) }
}

export const getEventSchema = {
  operationId: 'getEvent',
  summary: 'Read one stored event',
  tags: ['admin events'],
  params: EventParamsSchema,
  response: { 200: StoredEventSchema, ...errorReplies(400, 401, 403, 404, 429, 500, 503) }
}

function exact (maxLength: number, description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength, description: `${description}, compared exactly` }))
}
