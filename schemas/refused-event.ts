import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { EVENT_TYPES } from './event.js'
import type { EventType } from './event.js'
import { EXPORT_END, exportQuery, exportReplies } from './event-export.js'
import { pageQuery, pageSchema, periodQuery } from './page.js'

const tags = ['admin refused events']
const strict = { additionalProperties: false }
const NAME = '^[^\\p{Cc}\\p{Cs}]+$'

/** The parameters that may contain any string that a client may send. */
export const EXACT_REFUSED_PARAMETERS = ['message_id', 'origin'] as const

/** The parameters that select refused events. */
const filter = {
  ...periodQuery,
  source_id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: NAME })),
  code: Type.Optional(Type.String({ pattern: '^[A-Z_]{1,64}$', description: 'The error code of the response' })),
  origin: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'The `Origin`, compared exactly' })),
  type: Type.Optional(Type.Unsafe<EventType>({ type: 'string', enum: [...EVENT_TYPES] })),
  message_id: Type.Optional(Type.String({
    minLength: 1, maxLength: 100, description: 'The `messageId` of the event, compared exactly'
  }))
}
const replayed = Type.Optional(Type.Unsafe<'true' | 'false'>({
  type: 'string', enum: ['true', 'false'], description: 'Whether the event was replayed'
}))

export const RefusedEventQuerySchema = Type.Object({ ...pageQuery, ...filter, replayed }, strict)
export type RefusedEventQuery = Static<typeof RefusedEventQuerySchema>

export const RefusedEventExportQuerySchema = Type.Object({ ...filter, replayed, ...exportQuery }, strict)
export type RefusedEventExportQuery = Static<typeof RefusedEventExportQuerySchema>

const text = (maxLength: number, description?: string) =>
  Type.String({ maxLength, ...description === undefined ? {} : { description } })
const textOrNull = (maxLength: number) => Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength })
const Time = text(30, 'ISO-8601, UTC, milliseconds')

export const RefusedEventSchema = Type.Object({
  id: text(100),
  source_id: text(100),
  code: text(64, 'The error code of the response'),
  reason: text(1_000, 'Which check failed'),
  origin: textOrNull(1_000),
  ip: text(100),
  user_agent: textOrNull(1_024),
  path: text(2_048, 'The values of the query are masked'),
  content_type: textOrNull(200),
  signed: Type.Boolean({ description: 'Whether a signature was verified' }),
  type: textOrNull(200),
  event: textOrNull(1_000),
  message_id: textOrNull(100),
  received_at: Time,
  bytes: Type.Integer({ minimum: 0, description: 'Bytes of `payload`' }),
  payload: Type.String({ description: 'The body as text, without the pipeline key' }),
  truncated: Type.Boolean({ description: 'Whether the end of the body is missing' }),
  replayable: Type.Boolean({ description: 'Whether a replay can accept it' }),
  replayed_at: Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 30 })
})
export type RefusedEventItem = Static<typeof RefusedEventSchema>

const Counts = {
  stored: Type.Integer({ minimum: 0, description: 'Events that are stored now' }),
  duplicate: Type.Integer({ minimum: 0, description: 'Events that were stored before' }),
  dropped: Type.Integer({ minimum: 0, description: 'Events of bots, which the source drops' }),
  refused: Type.Integer({ minimum: 0, description: 'Events that are refused again' })
}

export const ReplayReplySchema = Type.Object({
  id: text(100),
  outcome: text(20, '`replayed`, `still_refused` or `already_replayed`'),
  events: Type.Object(Counts),
  code: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 64, description: 'The error code of an event that is still refused'
  }),
  reason: textOrNull(1_000)
})
export type ReplayReply = Static<typeof ReplayReplySchema>

export const ReplayBodySchema = Type.Object({
  ...filter,
  cursor: pageQuery.cursor,
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50, description: 'Maximum number of refused events' })
}, strict)
export type ReplayBody = Static<typeof ReplayBodySchema>

export const ReplayAllReplySchema = Type.Object({
  replayed: Type.Integer({ minimum: 0, description: 'Refused events that are replayed now' }),
  events: Type.Object(Counts),
  still_refused: Type.Array(Type.Object({ id: text(100), code: text(64), reason: text(1_000) }), { maxItems: 100 }),
  in_progress: Type.Integer({ minimum: 0, description: 'Refused events that another call replays' }),
  next_cursor: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 1024, description: 'Continues with older events; null at the end'
  }),
  has_more: Type.Boolean()
})
export type ReplayAllReply = Static<typeof ReplayAllReplySchema>

const Params = Type.Object({ id: Type.String({ maxLength: 200 }) })
const errors = errorReplies(400, 401, 403, 404, 429, 500, 503)

export const listRefusedEventsSchema = {
  operationId: 'listRefusedEvents',
  summary: 'List the refused events that are kept, newest first',
  description: 'A search for few of many events returns short or empty pages with `has_more` true; continue with ' +
    '`next_cursor`.',
  tags,
  querystring: RefusedEventQuerySchema,
  response: { 200: pageSchema(RefusedEventSchema), ...errors }
}

export const exportRefusedEventsSchema = {
  operationId: 'exportRefusedEvents',
  summary: 'Export the refused events that are kept as a file',
  description: EXPORT_END,
  tags,
  querystring: RefusedEventExportQuerySchema,
  response: exportReplies
}

export const getRefusedEventSchema = {
  operationId: 'getRefusedEvent',
  summary: 'Read one refused event',
  tags,
  params: Params,
  response: { 200: RefusedEventSchema, ...errors }
}

export const deleteRefusedEventSchema = {
  operationId: 'deleteRefusedEvent',
  summary: 'Delete a refused event',
  tags,
  params: Params,
  response: { 204: Type.Null(), ...errors }
}

export const replayRefusedEventSchema = {
  operationId: 'replayRefusedEvent',
  summary: 'Accept a refused event by the present settings of its source',
  description: 'Each event is stored once, however often this is called.',
  tags,
  params: Params,
  response: { 200: ReplayReplySchema, ...errors, ...errorReplies(409) }
}

export const replayRefusedEventsSchema = {
  operationId: 'replayRefusedEvents',
  summary: 'Accept the refused events of a filter that were not replayed yet, newest first',
  description: 'Replays up to `limit` events; continue with `cursor` while `has_more` is true.',
  tags,
  body: ReplayBodySchema,
  response: { 200: ReplayAllReplySchema, ...errors }
}
