import { setImmediate } from 'node:timers/promises'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { countProperties, EVENT_LIMITS } from '../../../lib/json/limits.js'
import { memberElements } from '../../../lib/json/text.js'
import { assertUnrepeated } from '../../../lib/json/known-members.js'
import { batchSchema, browserBatchSchema } from '../../../schemas/ingestion.js'
import type { BatchBody, EventError } from '../../../schemas/ingestion.js'
import { batchReply } from '../batch-reply.js'
import { batchMembers } from './members.js'
import type { Visitor } from '../identity-cookie.js'
import type { EventWriter } from '../event-writer.js'
import { BATCH_MEMBERS } from '../body/known-members.js'
import { normalise } from '../normalise.js'
import { eventAssertion, eventError, isObject } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { TEXT_LIMITS, useJsonText } from '../body/parse-json.js'
import { IngestContext } from '../ingest-context.js'

/** Members of a batch that takes some 10 ms to parse. */
const MANY = 20_000

/** RudderStack's browser SDK sends beacons here, with the key as `?writeKey=`. */
const BEACON_PATH = '/beacon/v1/batch'

/** `/v1/import` is Segment's path for events of the past, `/v1/b` the one of its browser SDK. */
const PATHS = [
  ['/v1/batch', batchSchema], ['/v1/import', batchSchema], ['/v1/b', browserBatchSchema], [BEACON_PATH, batchSchema]
] as const

/** A batch that is too long is 400, as the product says; a shorter one will do. */
export function batchTooLarge (): GatehouseError {
  return new INVALID_REQUEST({ message: 'The batch is too large' })
}

export interface BatchLimits {
  batchLimit: number
  eventLimit: number
  keylessLimit: number
}

/** The route that takes many events at once. */
export async function batchRoute (scope: FastifyInstance, limits: BatchLimits, visitor: Visitor | null, writer: EventWriter): Promise<void> {
  const { batchLimit, eventLimit, keylessLimit } = limits
  useJsonText(scope, {
    bodyLimit: batchLimit,
    keylessLimit,
    tooLarge: batchTooLarge,
    keyInBody: true,
    limits: { ...TEXT_LIMITS, eventLevel: 2 },
    // Only the envelope: a fault of an event is an error of that event.
    check (value) {
      countProperties(isObject(value) ? withoutBatch(value) : value, EVENT_LIMITS)
    }
  })

  const assertEvent: AssertEvent = eventAssertion(scope, PATHS[0][0])

  for (const [path, schema] of PATHS) {
    scope.post<{ Body: BatchBody }>(path, {
      schema, bodyLimit: batchLimit, config: { gatehouse: { pipelineKey: true, signature: 'optional' }, writeKeyInQuery: path === BEACON_PATH }
    }, acceptBatch)
  }

  async function acceptBatch (request: FastifyRequest<{ Body: BatchBody }>, reply: FastifyReply): Promise<string> {
    // To check the events takes about as long as it took to parse them: others get their turn in between.
    if (request.jsonMembers > MANY) await setImmediate()
    const ingest = new IngestContext(request, reply, visitor)
    const { events, errors, refused } = judge(request, ingest)
    const { context } = request.body
    // What was parsed is not needed any more, and while many batches wait for the sink it is what the garbage collector would work on.
    release(request)
    if (events.length > 0) await writer.take(ingest.source, events)
    if (errors.length > 0) writer.refused(ingest, errors, refused, context)
    return batchReply(reply, events.length, errors, isRepeat(events))
  }

  function judge ({ body, jsonText, jsonMembers }: FastifyRequest<{ Body: BatchBody }>, ingest: IngestContext): Judged {
    const { texts, members } = memberElements(jsonText, 'batch')
    const outside = members.reduce((left, inEvent) => left - inEvent, jsonMembers)
    // Those of the envelope, and "batch" itself.
    if (outside > countProperties(withoutBatch(body), EVENT_LIMITS) + 1) assertUnrepeated(jsonText, BATCH_MEMBERS)
    const batch = batchMembers(body, jsonText)
    // They are stored with each event, and count with each: else 500 small ones would make gigabytes of one large context.
    const room = eventLimit - (batch === null ? 0 : batch.bytes)
    const judged: Judged = { events: [], errors: [], refused: [] }
    body.batch.forEach((value, index) => {
      const text = texts[index] ?? ''
      try {
        assertEvent(value, text, members[index] ?? 0, room)
        judged.events.push(normalise({ value, text, type: value.type, index, batch }, ingest, writer.isBotAgent))
      } catch (error) {
        judged.errors.push(eventError(error, value, index))
        judged.refused[index] = value
      }
    })
    return judged
  }
}

/** Whether the batch itself has come before: each of its events that could not be told by an id of its own was stored then. */
function isRepeat (events: readonly AcceptedEvent[]): boolean {
  let repeats = 0
  for (const { repeat } of events) {
    if (repeat === false) return false
    if (repeat === true) repeats++
  }
  return repeats > 0
}

interface Judged {
  events: AcceptedEvent[]
  errors: EventError[]
  /** The values of the refused, each where it stood. */
  refused: unknown[]
}

function release (request: FastifyRequest): void {
  request.body = null
  request.jsonText = ''
}

function withoutBatch (envelope: Record<string, unknown>): Record<string, unknown> {
  const { batch, ...rest } = envelope
  return rest
}
