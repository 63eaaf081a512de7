import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { GatehouseError, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../plugins/errors.js'
import type { AcceptedEvent } from '../../plugins/event-sink/sink.js'
import { AnyEventSchema } from '../../schemas/event.js'
import type { EventBody } from '../../schemas/event.js'
import { batchSchema } from '../../schemas/ingestion.js'
import type { BatchBody, EventError } from '../../schemas/ingestion.js'
import { batchContext } from './context.js'
import type { Visitor } from './identity-cookie.js'
import { EVENT_LIMITS, faultOf } from './json-limits.js'
import { elements, memberText } from './json-text.js'
import { normalise } from './normalise.js'
import { useJsonText } from './parse-json.js'
import { Reception } from './reception.js'

export const BATCH_PATH = '/v1/batch'

/** A batch that is too long is 400, as the product says; a shorter one will do. */
export function batchTooLarge (): GatehouseError {
  return new INVALID_REQUEST({ message: 'The batch is too large' })
}

export interface BatchLimits {
  batchLimit: number
  eventLimit: number
}

/** The route that takes many events at once. */
export async function batchRoute (scope: FastifyInstance, { batchLimit, eventLimit }: BatchLimits, visitor: Visitor | null): Promise<void> {
  const { eventSink } = scope
  useJsonText(scope, {
    bodyLimit: batchLimit,
    tooLarge: batchTooLarge,
    // Only the envelope: what is wrong with an event is said of that event.
    check (value) {
      const fault = faultOf(isObject(value) ? withoutBatch(value) : value, EVENT_LIMITS)
      if (fault !== null) throw new INVALID_REQUEST({ message: fault })
    }
  })

  const compile = scope.validatorCompiler
  if (compile === undefined) throw new Error('the scope has no validator compiler')
  const isEvent = compile({ schema: AnyEventSchema, method: 'POST', url: BATCH_PATH, httpPart: 'body' })

  scope.post<{ Body: BatchBody }>(BATCH_PATH, {
    schema: batchSchema, bodyLimit: batchLimit, config: { gatehouse: { pipelineKey: true, signature: 'optional' } }
  }, acceptBatch)

  async function acceptBatch (request: FastifyRequest<{ Body: BatchBody }>, reply: FastifyReply): Promise<string> {
    const { body, jsonText } = request
    const reception = new Reception(request, reply, visitor)
    const context = batchContext(body.context, jsonText)
    // It is stored with each event, and counts with each: else 500 small ones would make gigabytes of one large context.
    const room = eventLimit - (context === null ? 0 : Buffer.byteLength(context.members))
    const texts = elements(memberText(jsonText, 'batch') ?? '[]')
    const events: AcceptedEvent[] = []
    const errors: EventError[] = []

    body.batch.forEach((value, index) => {
      const text = texts[index] ?? ''
      try {
        assertEvent(value, text, room)
        events.push(normalise({ value, text, type: value.type, index, batch: context }, reception))
      } catch (error) {
        errors.push(eventError(error, value, index))
      }
    })

    if (events.length > 0) await eventSink.write(events)
    reply.header('content-type', 'application/json; charset=utf-8')
    if (errors.length === 0) return `{"success":true,"accepted":${events.length}}`
    return JSON.stringify({ success: false, accepted: events.length, rejected: errors.length, errors })
  }

  function assertEvent (value: unknown, text: string, room: number): asserts value is EventBody {
    if (isLongerThan(text, room)) throw new PAYLOAD_TOO_LARGE({ message: 'The event is too large' })
    const fault = faultOf(value, EVENT_LIMITS)
    if (fault !== null) throw new INVALID_REQUEST({ message: fault })
    if (isEvent(value) === true) return
    const violation = isEvent.errors?.[0]
    throw new INVALID_REQUEST({ details: [{ path: violation?.instancePath ?? '', message: violation?.message ?? 'is not valid' }] })
  }
}

function eventError (thrown: unknown, event: unknown, index: number): EventError {
  // Another key in one event is no fault of that event: it makes the whole request doubtful.
  if (!(thrown instanceof GatehouseError) || thrown.code === 'INVALID_PIPELINE_KEY') throw thrown
  const { code, message, details } = thrown
  const detail = details?.[0]
  const messageId = isObject(event) ? event['messageId'] : undefined
  return {
    index,
    messageId: typeof messageId === 'string' && messageId.length <= 100 ? messageId : null,
    code,
    message: detail === undefined ? message : `${detail.path} ${detail.message}`.trim()
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withoutBatch (envelope: Record<string, unknown>): Record<string, unknown> {
  const { batch, ...rest } = envelope
  return rest
}

function isLongerThan (text: string, bytes: number): boolean {
  // At most three bytes a character, so that most texts need not be counted.
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}
