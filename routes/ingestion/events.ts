import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { PAYLOAD_TOO_LARGE } from '../../lib/errors.js'
import { countProperties, EVENT_LIMITS } from '../../lib/json/limits.js'
import { assertUnrepeated } from '../../lib/json/known-members.js'
import type { EventBody, EventType } from '../../schemas/event.js'
import { anyEventSchema, typedEventSchema } from '../../schemas/ingestion.js'
import type { GetVisitorId } from './identity-cookie.js'
import type { EventWriter } from './event-writer.js'
import { EVENT_MEMBERS } from './body/known-members.js'
import { normalise } from './normalise.js'
import { BATCH_SCAN_LIMITS, addJsonParsers } from './body/parse-json.js'
import type { JsonRules } from './body/parse-json.js'
import { IngestContext } from './ingest-context.js'

/** Datafly Signal's short paths and Segment's long paths. Segment's browser SDK uses `/v1/s` and `/v1/a`. */
const PATHS: ReadonlyArray<readonly [path: string, type: EventType]> = [
  ['/v1/t', 'track'],
  ['/v1/p', 'page'],
  ['/v1/i', 'identify'],
  ['/v1/g', 'group'],
  ['/v1/track', 'track'],
  ['/v1/page', 'page'],
  ['/v1/identify', 'identify'],
  ['/v1/group', 'group'],
  ['/v1/screen', 'screen'],
  ['/v1/alias', 'alias'],
  ['/v1/s', 'screen'],
  ['/v1/a', 'alias']
]
const ANY_TYPE = '/v1/events'

const SUCCESS = '{"success":true}'
const DUPLICATE = '{"success":true,"duplicate":true}'

export interface EventLimits {
  bodyLimit: number
  eventLimit: number
  keylessLimit: number
}

/** Returns the rules for the body of a single event. */
export function eventRules ({ bodyLimit, eventLimit, keylessLimit }: EventLimits): JsonRules {
  const tooLarge = `the event has more than ${eventLimit} bytes, or the body more than ${bodyLimit}`
  return {
    bodyLimit,
    parseLimit: eventLimit,
    keylessLimit,
    tooLarge: () => new PAYLOAD_TOO_LARGE({ message: 'The event is too large', reason: tooLarge }),
    keyInBody: true,
    limits: { ...BATCH_SCAN_LIMITS, depth: EVENT_LIMITS.depth, eventMembers: EVENT_LIMITS.properties, eventLevel: 0 },
    check (value, text, members) {
      if (members > countProperties(value, EVENT_LIMITS)) assertUnrepeated(text, EVENT_MEMBERS)
    }
  }
}

/** Registers the routes that accept a single event. */
export async function eventRoutes (
  scope: FastifyInstance,
  limits: EventLimits,
  getVisitorId: GetVisitorId | null,
  writer: EventWriter
): Promise<void> {
  const { bodyLimit } = limits
  addJsonParsers(scope, eventRules(limits))

  for (const [path, type] of PATHS) {
    scope.post<{ Body: Partial<EventBody> }>(path, {
      schema: typedEventSchema(type, path),
      bodyLimit,
      config: { gatehouse: { pipelineKey: true, signature: 'optional' }, eventType: type }
    }, function acceptTypedEvent (request, reply) {
      return storeEvent(request, reply, type)
    })
  }

  scope.post<{ Body: EventBody }>(ANY_TYPE, {
    schema: anyEventSchema,
    bodyLimit,
    config: { gatehouse: { pipelineKey: true, signature: 'required' } }
  }, function acceptEvent (request, reply) {
    return storeEvent(request, reply, request.body.type)
  })

  function storeEvent (
    request: FastifyRequest<{ Body: Partial<EventBody> }>,
    reply: FastifyReply,
    type: EventType
  ): Promise<string> {
    const ingest = new IngestContext(request, reply, getVisitorId)
    const event = normalise(
      { value: request.body, json: request.rawJson, type, index: 0, batch: null },
      ingest,
      writer.isBotAgent
    )
    reply.header('content-type', 'application/json; charset=utf-8')
    return writer.write(ingest.source, [event]).then(() => event.repeat === true ? DUPLICATE : SUCCESS)
  }
}
