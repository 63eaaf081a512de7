import type { FastifyRequest } from 'fastify'

import { exactQuery } from '../../../../lib/http/exact-query.js'
import type { EventFilter } from '../../../../contracts/event-sink.js'
import { EXACT_PARAMETERS } from '../../../../schemas/event-list.js'
import type { EventListQuery } from '../../../../schemas/event-list.js'
import { timeOf } from '../page-reply.js'

export type EventQuery = Omit<EventListQuery, 'cursor' | 'limit'>

/** Reads the parameters that may contain any string exactly as they were sent, before they are validated. */
export function readExactParameters (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void {
  try {
    const query = request.query as Record<string, unknown>
    for (const [name, values] of exactQuery(request.raw.url ?? '', EXACT_PARAMETERS)) {
      query[name] = values.length === 1 ? values[0] : values
    }
    done()
  } catch (error) {
    done(error as Error)
  }
}

/** Returns the filter of a query. Throws `INVALID_REQUEST` for a time that does not exist. */
export function eventFilterOf (query: EventQuery): EventFilter {
  return {
    sourceId: query.source_id,
    type: query.type,
    from: timeOf('from', query.from),
    to: timeOf('to', query.to),
    messageId: query.message_id,
    event: query.event,
    userId: query.user_id,
    anonymousId: query.anonymous_id,
    timestampFrom: timeOf('timestamp_from', query.timestamp_from),
    timestampTo: timeOf('timestamp_to', query.timestamp_to)
  }
}
