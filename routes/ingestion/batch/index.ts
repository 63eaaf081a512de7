import { setImmediate } from 'node:timers/promises'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { countProperties, EVENT_LIMITS } from '../../../lib/json/limits.js'
import { memberElements } from '../../../lib/json/scan.js'
import { assertUnrepeated } from '../../../lib/json/known-members.js'
import { batchSchema, browserBatchSchema } from '../../../schemas/ingestion.js'
import { operationIdOf } from '../../../schemas/operation-id.js'
import type { BatchBody, EventError } from '../../../schemas/ingestion.js'
import { batchReply } from '../batch-reply.js'
import { batchMembers } from './members.js'
import type { GetVisitorId } from '../identity-cookie.js'
import type { EventWriter } from '../event-writer.js'
import { BATCH_MEMBERS } from '../body/known-members.js'
import { normalise } from '../normalise.js'
import { eventAssertion, eventError, isObject } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { BATCH_SCAN_LIMITS, addJsonParsers } from '../body/parse-json.js'
import { IngestContext } from '../ingest-context.js'

/** Properties of a batch that takes about 10 ms to parse. */
const LARGE_BATCH = 20_000

const BATCH_PATH = '/v1/batch'
/** RudderStack's browser SDK sends beacons to this path, with the key as `?writeKey=`. */
const BEACON_PATH = '/beacon/v1/batch'

/** `/v1/import` is Segment's path for historical events; Segment's browser SDK sends to `/v1/b`. */
const PATHS = ([
  [BATCH_PATH, 'receive', batchSchema],
  ['/v1/import', 'receive', batchSchema],
  ['/v1/b', 'receive', browserBatchSchema],
  [BEACON_PATH, 'receiveBeacon', batchSchema]
] as const).map(([path, verb, schema]) => [path, { ...schema, operationId: operationIdOf(verb, path) }] as const)

/** Creates the 400 error for a batch above the limit. Datafly Signal documents 400, not 413. */
export function batchTooLarge (): GatehouseError {
  return new INVALID_REQUEST({ message: 'The batch is too large' })
}

export interface BatchLimits {
  batchLimit: number
  eventLimit: number
  keylessLimit: number
}

/** Registers the routes that accept a batch of events. */
export async function batchRoute (
  scope: FastifyInstance,
  limits: BatchLimits,
  getVisitorId: GetVisitorId | null,
  writer: EventWriter
): Promise<void> {
  const { batchLimit, eventLimit, keylessLimit } = limits
  addJsonParsers(scope, {
    bodyLimit: batchLimit,
    keylessLimit,
    tooLarge: batchTooLarge,
    keyInBody: true,
    limits: { ...BATCH_SCAN_LIMITS, eventLevel: 2 },
    // Only the envelope is checked here: an error in an event rejects that event, not the batch.
    check (value) {
      countProperties(isObject(value) ? withoutBatch(value) : value, EVENT_LIMITS)
    }
  })

  const assertEvent: AssertEvent = eventAssertion(scope, BATCH_PATH)

  for (const [path, schema] of PATHS) {
    scope.post<{ Body: BatchBody }>(path, {
      schema,
      bodyLimit: batchLimit,
      config: { gatehouse: { pipelineKey: true, signature: 'optional' }, writeKeyInQuery: path === BEACON_PATH }
    }, acceptBatch)
  }

  async function acceptBatch (request: FastifyRequest<{ Body: BatchBody }>, reply: FastifyReply): Promise<string> {
    // Validation takes about as long as parsing, so other requests run in between.
    if (request.jsonMembers > LARGE_BATCH) await setImmediate()
    const ingest = new IngestContext(request, reply, getVisitorId)
    const { events, errors, rejected } = validateEvents(request, ingest)
    const { context } = request.body
    // Frees the parsed body: many batches may wait for the sink, and the garbage collector would scan their objects.
    releaseBody(request)
    if (events.length > 0) await writer.write(ingest.source, events)
    if (errors.length > 0) writer.reportRejected(ingest, errors, rejected, context)
    return batchReply(reply, events.length, errors, isRepeat(events))
  }

  function validateEvents (
    { body, rawJson, jsonMembers }: FastifyRequest<{ Body: BatchBody }>,
    ingest: IngestContext
  ): ValidatedEvents {
    const { values: rawEvents, members } = memberElements(rawJson, 'batch')
    const outsideEvents = members.reduce((left, inEvent) => left - inEvent, jsonMembers)
    // The envelope has its own members and "batch"; a surplus is a repeated member.
    if (outsideEvents > countProperties(withoutBatch(body), EVENT_LIMITS) + 1) assertUnrepeated(rawJson, BATCH_MEMBERS)
    const batch = batchMembers(body, rawJson)
    // Shared members are stored with each event, so they count towards the limit of each event.
    const maxBytes = eventLimit - (batch === null ? 0 : batch.bytes)
    const validated: ValidatedEvents = { events: [], errors: [], rejected: [] }
    body.batch.forEach((value, index) => {
      const json = rawEvents[index] ?? ''
      try {
        assertEvent(value, json, members[index] ?? 0, maxBytes)
        validated.events.push(normalise({ value, json, type: value.type, index, batch }, ingest, writer.isBotAgent))
      } catch (error) {
        validated.errors.push(eventError(error, value, index))
        validated.rejected[index] = value
      }
    })
    return validated
  }
}

/**
 * Returns whether the batch is a repeat: it has events whose ids come from the signature, and the sink has already
 * stored all of them.
 */
function isRepeat (events: readonly AcceptedEvent[]): boolean {
  let repeats = 0
  for (const { repeat } of events) {
    if (repeat === false) return false
    if (repeat === true) repeats++
  }
  return repeats > 0
}

interface ValidatedEvents {
  events: AcceptedEvent[]
  errors: EventError[]
  /** The rejected values, each at its index in the batch. */
  rejected: unknown[]
}

function releaseBody (request: FastifyRequest): void {
  request.body = null
  request.rawJson = ''
}

function withoutBatch (envelope: Record<string, unknown>): Record<string, unknown> {
  const { batch, ...rest } = envelope
  return rest
}
