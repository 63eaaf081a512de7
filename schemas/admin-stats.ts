import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'

/** Maximum number of points of a series. */
export const MAX_POINTS = 1_000
/** Maximum number of sources in the response. */
export const MAX_SOURCES = 1_000

const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const Amount = Type.Integer({ minimum: 0 })
const ByOutcome = Type.Record(Type.String({ maxLength: 64 }), Amount, { maxProperties: 100 })
const Series = (description: string) => Type.Array(Amount, { maxItems: MAX_POINTS, description })

export const StatsQuerySchema = Type.Object({
  from: Type.Optional(Type.String({
    format: 'date-time',
    maxLength: 40,
    description: 'The start (ISO-8601), at most 400 days before `to`. The hour or day that contains it is the first. ' +
      'Default: 24 hours before `to`'
  })),
  to: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'The end, exclusive. Default: now' })),
  interval: Type.Optional(Type.Unsafe<'hour' | 'day'>({
    type: 'string',
    enum: ['hour', 'day'],
    description: `The length of a point, UTC; at most ${MAX_POINTS} points. Default: \`hour\` up to 7 days, else \`day\``
  })),
  source_id: Type.Optional(Type.String({
    minLength: 1, maxLength: 256, pattern: '^[^\\p{Cc}\\p{Cs}]+$', description: 'Counts only the events of this source'
  }))
}, strict)
export type StatsQuery = Static<typeof StatsQuerySchema>

export const EventTotalsSchema = Type.Object({
  accepted: Amount,
  deduplicated: Amount,
  bot: Amount,
  refused: Amount,
  bytes: Type.Integer({ minimum: 0, description: 'Bytes of the JSON of the accepted events' }),
  refused_by_code: ByOutcome
})
export type EventTotals = Static<typeof EventTotalsSchema>

export const StatsReplySchema = Type.Object({
  from: Type.String({ maxLength: 30, description: 'The start of the first point' }),
  to: Time,
  interval: Type.Unsafe<'hour' | 'day'>({ type: 'string', enum: ['hour', 'day'] }),
  times: Type.Array(Time, { maxItems: MAX_POINTS, description: 'The start of each point. Every series has as many values' }),
  events: Type.Object({
    totals: EventTotalsSchema,
    series: Type.Object({
      accepted: Series('Stored events'),
      deduplicated: Series('Repeats of stored events'),
      bot: Series('Events of bots that the source drops'),
      refused: Series('Refused requests, and refused events of accepted batches'),
      bytes: Series('Bytes of the JSON of the accepted events')
    })
  }),
  sources: Type.Array(
    Type.Object({
      source_id: Type.String({ maxLength: 256 }),
      ...EventTotalsSchema.properties,
      last_event_at: Type.Unsafe<string | null>({
        type: ['string', 'null'],
        maxLength: 30,
        description: 'When the last accepted event came, also before `from`; null if none is counted'
      })
    }),
    { maxItems: MAX_SOURCES, description: 'Sources with counts, deleted ones included, the most events first' }
  ),
  embeds: Type.Object({
    products: Type.Array(
      Type.Object({
        product: Type.String({ maxLength: 64 }),
        minted: Amount,
        cached: Amount,
        refused: Amount,
        refused_by_code: ByOutcome
      }),
      { maxItems: 20 }
    ),
    series: Type.Object({
      minted: Series('New credentials'),
      cached: Series('Credentials of the cache'),
      refused: Series('Refused requests')
    })
  }),
  logins: Type.Object({
    totals: Type.Record(Type.String({ maxLength: 64 }), Amount, {
      maxProperties: 50, description: 'By outcome: `login:password`, `login_failed`, `refresh:rotated`, …'
    }),
    active_sessions: Type.Integer({ minimum: 0, description: 'Live sessions of the organisation now' })
  })
})
export type StatsReply = Static<typeof StatsReplySchema>

export const getStatsSchema = {
  operationId: 'getStats',
  summary: 'Count the events, embeds and logins of the organisation, with series for charts',
  description: 'Embeds and logins belong to the organisation that the audit log gives them. With `source_id`, only ' +
    '`events` and `sources` are of that source.',
  tags: ['admin stats'],
  querystring: StatsQuerySchema,
  response: { 200: StatsReplySchema, ...errorReplies(400, 401, 403, 429, 500, 503) }
}
