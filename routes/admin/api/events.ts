import { setImmediate as turn } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import { eventText } from '../../../plugins/event-sink/event-view.js'
import { isReadable } from '../../../contracts/event-sink.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { listEventsSchema } from '../../../schemas/event-list.js'
import type { EventListQuery } from '../../../schemas/event-list.js'
import { adminOf } from '../admin-scope.js'
import { timeOf } from './page-reply.js'
import { readPage } from './page-request.js'
import { MAY } from '../permissions.js'

/** Characters of events that are written before others have their turn: a millisecond or two. */
const WRITTEN_AT_ONCE = 131_072

export function eventRoutes (scope: FastifyInstance): void {
  scope.get<{ Querystring: EventListQuery }>('/events', { schema: listEventsSchema, ...MAY.readEvents }, async function listEvents (request, reply) {
    const sink = scope.hasDecorator('eventSink') ? scope.eventSink : null
    if (sink === null || !isReadable(sink)) throw new NOT_FOUND({ message: 'The events of this server can only be read where they are delivered to' })
    const { source_id: sourceId, type, from, to } = request.query
    const filter = { sourceId, type, from: timeOf('from', from), to: timeOf('to', to) }
    const { data, nextCursor } = await readPage(request, (page) => sink.list(adminOf(request).org_id, filter, page))
    // As text: a serializer would write the numbers of the events as JavaScript holds them.
    reply.type('application/json; charset=utf-8')
    return `{"data":[${await eventTexts(data)}],"next_cursor":${JSON.stringify(nextCursor)},"has_more":${nextCursor !== null}}`
  })
}

/** The members of an array of events, as text. */
async function eventTexts (events: readonly AcceptedEvent[]): Promise<string> {
  const texts: string[] = []
  let written = 0
  for (const event of events) {
    if (written > WRITTEN_AT_ONCE) {
      await turn()
      written = 0
    }
    written += texts[texts.push(eventText(event)) - 1]?.length ?? 0
  }
  return texts.join(',')
}
