import type { FastifyRequest } from 'fastify'

import type { ReplayResult } from '../../../../contracts/event-replay.js'
import type { RefusedEvent, RefusedEventFilter } from '../../../../contracts/token-store/index.js'
import { exactQuery } from '../../../../lib/http/exact-query.js'
import { EXACT_REFUSED_PARAMETERS } from '../../../../schemas/refused-event.js'
import type { RefusedEventItem, RefusedEventQuery, ReplayAllReply, ReplayBody } from '../../../../schemas/refused-event.js'
import { timeOf } from '../page-reply.js'

export function viewRefusedEvent (event: RefusedEvent): RefusedEventItem {
  return {
    id: event.id,
    source_id: event.sourceId,
    code: event.code,
    reason: event.reason,
    origin: event.origin,
    ip: event.ip,
    user_agent: event.userAgent,
    path: event.path,
    content_type: event.contentType,
    signed: event.signed,
    type: event.type,
    event: event.event,
    message_id: event.messageId,
    received_at: new Date(event.receivedAt).toISOString(),
    bytes: event.bytes,
    payload: event.payload,
    truncated: event.truncated,
    replayable: event.replay !== null,
    replayed_at: event.replayedAt === null ? null : new Date(event.replayedAt).toISOString()
  }
}

/** Reads the parameters that may contain any string exactly as they were sent, before they are validated. */
export function readExactParameters (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void {
  try {
    const query = request.query as Record<string, unknown>
    for (const [name, values] of exactQuery(request.raw.url ?? '', EXACT_REFUSED_PARAMETERS)) {
      query[name] = values.length === 1 ? values[0] : values
    }
    done()
  } catch (error) {
    done(error as Error)
  }
}

/** Returns the filter of a query or body. Throws `INVALID_REQUEST` for a time that does not exist. */
export function refusedFilterOf (
  query: Omit<RefusedEventQuery, 'limit'> | Omit<ReplayBody, 'limit'>
): RefusedEventFilter {
  return {
    sourceId: query.source_id,
    code: query.code,
    origin: query.origin,
    type: query.type,
    messageId: query.message_id,
    from: timeOf('from', query.from),
    to: timeOf('to', query.to),
    ...'replayed' in query && query.replayed !== undefined ? { replayed: query.replayed === 'true' } : {}
  }
}

/** Adds up the results of the replay of one page. */
export function sumOf (results: readonly ReplayResult[]): Omit<ReplayAllReply, 'next_cursor' | 'has_more'> {
  const events = { stored: 0, duplicate: 0, dropped: 0, refused: 0 }
  for (const result of results) {
    events.stored += result.events.stored
    events.duplicate += result.events.duplicate
    events.dropped += result.events.dropped
    events.refused += result.events.refused
  }
  return {
    replayed: results.filter(({ outcome }) => outcome === 'replayed').length,
    events,
    still_refused: results.filter(({ outcome }) => outcome === 'still_refused').map(({ id, code, reason }) => ({
      id, code: code ?? '', reason: reason ?? ''
    })),
    in_progress: results.filter(({ outcome }) => outcome === 'in_progress').length
  }
}
