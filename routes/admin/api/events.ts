import { setImmediate as turn } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import { eventJson } from '../../../plugins/event-sink/event-view.js'
import { isReadable } from '../../../contracts/event-sink.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { listEventsSchema } from '../../../schemas/event-list.js'
import type { EventListQuery } from '../../../schemas/event-list.js'
import { callerOf } from '../admin-scope.js'
import { timeOf } from './page-reply.js'
import { readPage } from './page-request.js'
import { PERMISSIONS } from '../permissions.js'

/** Characters that are written before other requests run: one or two milliseconds of work. */
const MAX_CHARACTERS_PER_TURN = 131_072

export function eventRoutes (scope: FastifyInstance): void {
  scope.get<{ Querystring: EventListQuery }>(
    '/events',
    { schema: listEventsSchema, ...PERMISSIONS.readEvents },
    async function listEvents (request, reply) {
      const sink = scope.hasDecorator('eventSink') ? scope.eventSink : null
      if (sink === null || !isReadable(sink)) {
        throw new NOT_FOUND({
          message: 'This server does not store events; read them in the system that receives them'
        })
      }
      const { source_id: sourceId, type, from, to } = request.query
      const filter = { sourceId, type, from: timeOf('from', from), to: timeOf('to', to) }
      const { data, nextCursor } = await readPage(request, (page) => sink.list(callerOf(request).org_id, filter, page))
      // Sent as JSON text, because parsing and serialising would change large numbers of the events.
      reply.type('application/json; charset=utf-8')
      return `{"data":[${await joinEvents(data)}],"next_cursor":${JSON.stringify(nextCursor)},"has_more":${
        nextCursor !== null
      }}`
    }
  )
}

/** Returns the elements of a JSON array of events, as text. */
async function joinEvents (events: readonly AcceptedEvent[]): Promise<string> {
  const texts: string[] = []
  let written = 0
  for (const event of events) {
    if (written > MAX_CHARACTERS_PER_TURN) {
      await turn()
      written = 0
    }
    written += texts[texts.push(eventJson(event)) - 1]?.length ?? 0
  }
  return texts.join(',')
}
