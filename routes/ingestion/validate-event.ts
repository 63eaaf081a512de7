import type { FastifyInstance } from 'fastify'

import { GatehouseError, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../lib/errors.js'
import { countProperties, EVENT_LIMITS } from '../../lib/json/limits.js'
import type { JsonLimits } from '../../lib/json/limits.js'
import { assertUnrepeated } from '../../lib/json/known-members.js'
import { AnyEventSchema } from '../../schemas/event.js'
import type { EventBody } from '../../schemas/event.js'
import type { EventError } from '../../schemas/ingestion.js'
import { EVENT_MEMBERS } from './body/known-members.js'

/**
 * Throws the fault of an event among others: its text is longer than `room` bytes, it is beyond the limits of JSON, against the schema, or one
 * of its known members occurs twice. `members`: how many the text has.
 */
export type AssertEvent = (value: unknown, text: string, members: number, room: number) => asserts value is EventBody

export function eventAssertion (scope: FastifyInstance, url: string, limits: JsonLimits = EVENT_LIMITS): AssertEvent {
  const compile = scope.validatorCompiler
  if (compile === undefined) throw new Error('the scope has no validator compiler')
  const isEvent = compile({ schema: AnyEventSchema, method: 'POST', url, httpPart: 'body' })

  return function assertEvent (value, text, members, room) {
    if (isLongerThan(text, room)) throw new PAYLOAD_TOO_LARGE({ message: 'The event is too large' })
    if (members > countProperties(value, limits)) assertUnrepeated(text, EVENT_MEMBERS)
    if (isEvent(value) === true) return
    const violation = isEvent.errors?.[0]
    throw new INVALID_REQUEST({ details: [{ path: violation?.instancePath ?? '', message: violation?.message ?? 'is not valid' }] })
  }
}

/** What was thrown at one event, for the response that names it; throws what is not an error of that event. */
export function eventError (thrown: unknown, event: unknown, index: number): EventError {
  if (!(thrown instanceof GatehouseError)) throw thrown
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

export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLongerThan (text: string, bytes: number): boolean {
  // At most three bytes a character, so that most texts need not be counted.
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}
