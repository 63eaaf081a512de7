import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../plugins/errors.js'
import { eventText } from '../../plugins/event-sink/event-view.js'
import { isReadable } from '../../plugins/event-sink/sink.js'
import { listEventsSchema } from '../../schemas/event-list.js'
import type { EventListQuery } from '../../schemas/event-list.js'
import { callerOf } from './admin-scope.js'
import { timeOf } from './page-reply.js'
import { readPage } from './page-request.js'
import { MAY } from './permissions.js'

export function eventRoutes (scope: FastifyInstance): void {
  scope.get<{ Querystring: EventListQuery }>('/events', { schema: listEventsSchema, ...MAY.readEvents }, async function listEvents (request, reply) {
    const sink = scope.hasDecorator('eventSink') ? scope.eventSink : null
    if (sink === null || !isReadable(sink)) throw new NOT_FOUND({ message: 'The events of this server can only be read where they are delivered to' })
    const { source_id: sourceId, type, from, to } = request.query
    const filter = { sourceId, type, from: timeOf('from', from), to: timeOf('to', to) }
    const { data, nextCursor } = await readPage(request, (page) => sink.list(callerOf(request).org_id, filter, page))
    // As text: a serializer would write the numbers of the events as JavaScript holds them.
    reply.type('application/json; charset=utf-8')
    return `{"data":[${data.map(eventText).join(',')}],"next_cursor":${JSON.stringify(nextCursor)},"has_more":${nextCursor !== null}}`
  })
}
