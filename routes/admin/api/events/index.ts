import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../../lib/errors.js'
import { eventJson } from '../../../../plugins/event-sink/event-view.js'
import { getEventSchema, listEventsSchema } from '../../../../schemas/event-list.js'
import type { EventListQuery, EventParams } from '../../../../schemas/event-list.js'
import { callerOf } from '../../admin-scope.js'
import { readPage } from '../page-request.js'
import { PERMISSIONS } from '../../permissions.js'
import { eventFilterOf, readExactParameters } from './event-filter.js'
import { joinEvents } from './event-text.js'
import { findEvent } from './find-event.js'
import { readableSink } from './readable-sink.js'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Registers the routes that list stored events and that read one of them. */
export function eventRoutes (scope: FastifyInstance): void {
  scope.get<{ Querystring: EventListQuery }>(
    '/events',
    { schema: listEventsSchema, ...PERMISSIONS.readEvents, preValidation: readExactParameters },
    async function listEvents (request, reply) {
      const sink = readableSink(scope)
      const filter = eventFilterOf(request.query)
      const { data, nextCursor } = await readPage(request, (page) => sink.list(callerOf(request).org_id, filter, page))
      // Sent as JSON text, because parsing and serialising would change large numbers of the events.
      reply.type(JSON_TYPE)
      return `{"data":[${await joinEvents(data)}],"next_cursor":${JSON.stringify(nextCursor)},"has_more":${
        nextCursor !== null
      }}`
    }
  )

  scope.get<{ Params: EventParams }>(
    '/events/:id',
    { schema: getEventSchema, ...PERMISSIONS.readEvents },
    async function getEvent (request, reply) {
      const event = await findEvent(readableSink(scope), callerOf(request).org_id, request.params.id, request.signal)
      if (event === null) throw new NOT_FOUND()
      reply.type(JSON_TYPE)
      return eventJson(event)
    }
  )
}
