import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { EventReplay } from '../../../../contracts/event-replay.js'
import type { RefusedEvent } from '../../../../contracts/token-store/index.js'
import { CONFLICT, NOT_FOUND } from '../../../../lib/errors.js'
import * as schemas from '../../../../schemas/refused-event.js'
import type {
  RefusedEventItem, RefusedEventQuery, ReplayAllReply, ReplayBody, ReplayReply
} from '../../../../schemas/refused-event.js'
import { callerOf } from '../../admin-scope.js'
import { idOf, optionalBody } from '../../request.js'
import { pageReply } from '../page-reply.js'
import { readPage } from '../page-request.js'
import { PERMISSIONS } from '../../permissions.js'
import { readExactParameters, refusedFilterOf, sumOf, viewRefusedEvent } from './fields.js'

/** Registers the routes of the refused events that sources keep. Those of other organisations are 404. */
export function refusedEventRoutes (scope: FastifyInstance): void {
  const { refusedEvents } = scope.tokenStore

  scope.get<{ Querystring: RefusedEventQuery }>('/refused-events', {
    schema: schemas.listRefusedEventsSchema,
    ...PERMISSIONS.readEvents,
    preValidation: readExactParameters
  }, async function listRefusedEvents (request) {
    const filter = refusedFilterOf(request.query)
    return pageReply(
      await readPage(request, (page) => refusedEvents.list(callerOf(request).org_id, filter, page)),
      viewRefusedEvent
    )
  })

  scope.get('/refused-events/:id', {
    schema: schemas.getRefusedEventSchema,
    ...PERMISSIONS.readEvents
  }, async function getRefusedEvent (request): Promise<RefusedEventItem> {
    return viewRefusedEvent(await find(request))
  })

  scope.delete('/refused-events/:id', {
    schema: schemas.deleteRefusedEventSchema,
    ...PERMISSIONS.replayEvents,
    ...optionalBody
  }, async function deleteRefusedEvent (request, reply) {
    const { id, orgId, sourceId, code } = await find(request)
    if (!await refusedEvents.delete(orgId, id)) throw new NOT_FOUND()
    audit(request, 'refused_event.deleted', { source_id: sourceId, code }, id)
    return reply.code(204).send()
  })

  scope.post('/refused-events/:id/replay', {
    schema: schemas.replayRefusedEventSchema,
    ...PERMISSIONS.replayEvents,
    ...optionalBody
  }, async function replayRefusedEvent (request): Promise<ReplayReply> {
    const { id, orgId, sourceId } = await find(request)
    const [result] = await replayOf(scope).replay(orgId, [id])
    if (result === undefined || result.outcome === 'not_found') throw new NOT_FOUND()
    if (result.outcome === 'in_progress') throw new CONFLICT({ message: 'This event is being replayed' })
    const { outcome, events, code } = result
    audit(request, 'refused_event.replayed', { source_id: sourceId, outcome, ...events, code }, id)
    return result
  })

  scope.post<{ Body: ReplayBody }>('/refused-events/replay', {
    schema: schemas.replayRefusedEventsSchema,
    ...PERMISSIONS.replayEvents,
    ...optionalBody
  }, async function replayRefusedEvents (request): Promise<ReplayAllReply> {
    const { org_id: orgId } = callerOf(request)
    const { cursor: _cursor, limit: _limit, ...selection } = request.body
    const filter = { ...refusedFilterOf(selection), replayed: false }
    const replay = replayOf(scope)
    const { data, nextCursor } = await readPage(
      request,
      (page) => refusedEvents.list(orgId, filter, page),
      request.body
    )
    const sum = sumOf(await replay.replay(orgId, data.map(({ id }) => id)))
    const { events, replayed, still_refused: { length: stillRefused } } = sum
    if (data.length > 0) {
      audit(request, 'refused_event.replayed', { ...selection, replayed, still_refused: stillRefused, ...events })
    }
    return { ...sum, next_cursor: nextCursor, has_more: nextCursor !== null }
  })

  async function find (request: FastifyRequest): Promise<RefusedEvent> {
    const event = await refusedEvents.get(callerOf(request).org_id, idOf(request.params))
    if (event === null) throw new NOT_FOUND()
    return event
  }

  function audit (request: FastifyRequest, action: string, changes: Record<string, unknown>, id?: string): void {
    scope.audit({ action, request, resourceType: 'refused_event', ...id === undefined ? {} : { resourceId: id }, changes })
  }
}

/** Returns the replay of the server. Throws `NOT_FOUND` on a server that does not receive events. */
function replayOf (scope: FastifyInstance): EventReplay {
  if (scope.hasDecorator('eventReplay')) return scope.eventReplay
  throw new NOT_FOUND({ message: 'This server does not receive events; replay on a server that does' })
}
