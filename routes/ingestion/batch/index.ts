import { setImmediate } from 'node:timers/promises'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { batchSchema, browserBatchSchema } from '../../../schemas/ingestion.js'
import { operationIdOf } from '../../../schemas/operation-id.js'
import type { BatchBody } from '../../../schemas/ingestion.js'
import { batchReply } from '../batch-reply.js'
import type { GetVisitorId } from '../identity-cookie.js'
import type { EventWriter } from '../event-writer.js'
import { eventAssertion } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { addJsonParsers } from '../body/parse-json.js'
import { IngestContext } from '../ingest-context.js'
import type { RefusedRecorder } from '../refused/recorder.js'
import { batchRules, validateBatch } from './validate.js'
import type { BatchLimits } from './validate.js'

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

/** Registers the routes that accept a batch of events. */
export async function batchRoute (
  scope: FastifyInstance,
  limits: BatchLimits,
  getVisitorId: GetVisitorId | null,
  writer: EventWriter,
  recorder: RefusedRecorder | null
): Promise<void> {
  const { batchLimit, eventLimit } = limits
  addJsonParsers(scope, batchRules(limits))

  const assertEvent: AssertEvent = eventAssertion(scope, BATCH_PATH)

  const rules = { assertEvent, eventLimit, isBotAgent: writer.isBotAgent, keepsRefused: recorder !== null }

  for (const [path, schema] of PATHS) {
    scope.post<{ Body: BatchBody }>(path, {
      schema,
      bodyLimit: batchLimit,
      config: {
        gatehouse: { pipelineKey: true, signature: 'optional' },
        writeKeyInQuery: path === BEACON_PATH,
        refusedForm: 'batch'
      }
    }, acceptBatch)
  }

  async function acceptBatch (request: FastifyRequest<{ Body: BatchBody }>, reply: FastifyReply): Promise<string> {
    // Validation takes about as long as parsing, so other requests run in between.
    if (request.jsonMembers > LARGE_BATCH) await setImmediate()
    const ingest = new IngestContext(request, reply, getVisitorId)
    const { events, errors, rejected, items } = validateBatch(request, ingest, rules)
    const { context } = request.body
    // Frees the parsed body: many batches may wait for the sink, and the garbage collector would scan their objects.
    releaseBody(request)
    if (events.length > 0) await writer.write(ingest.source, events)
    if (errors.length > 0) {
      writer.reportRejected(request, ingest, errors, rejected, context)
      if (items.length > 0) recorder?.keepItems(request, ingest.source, items)
    }
    return batchReply(reply, events.length, errors, isRepeat(events))
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

function releaseBody (request: FastifyRequest): void {
  request.body = null
  request.rawJson = ''
  request.jsonBoundaries = null
}
