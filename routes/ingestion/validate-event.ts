import type { FastifyInstance } from 'fastify'

import { GatehouseError, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../lib/errors.js'
import { countProperties, EVENT_LIMITS } from '../../lib/json/limits.js'
import type { JsonLimits } from '../../lib/json/limits.js'
import { assertUnrepeated } from '../../lib/json/known-members.js'
import { violationDetail } from '../../lib/violations.js'
import { AnyEventSchema } from '../../schemas/event.js'
import type { EventBody } from '../../schemas/event.js'
import type { EventError } from '../../schemas/ingestion.js'
import { EVENT_MEMBERS } from './body/known-members.js'

/**
 * Validates one event of a batch. Throws `PAYLOAD_TOO_LARGE` if its text is longer than `room` bytes, and
 * `INVALID_REQUEST` if it exceeds the limits of JSON, repeats a known property or violates the schema. `members` is the
 * number of members in the text.
 */
export type AssertEvent = (
  value: unknown,
  text: string,
  members: number,
  maxBytes: number
) => asserts value is EventBody

/** Creates the validation function of a scope; `url` is the path that the schema is compiled for. */
export function eventAssertion (scope: FastifyInstance, url: string, limits: JsonLimits = EVENT_LIMITS): AssertEvent {
  const compile = scope.validatorCompiler
  if (compile === undefined) throw new Error('the scope has no validator compiler')
  const isEvent = compile({ schema: AnyEventSchema, method: 'POST', url, httpPart: 'body' })

  return function assertEvent (value, text, members, maxBytes) {
    if (isLongerThan(text, maxBytes)) throw new PAYLOAD_TOO_LARGE({ message: 'The event is too large' })
    if (members > countProperties(value, limits)) assertUnrepeated(text, EVENT_MEMBERS)
    if (isEvent(value) === true) return
    throw new INVALID_REQUEST({ details: (isEvent.errors ?? []).map(violationDetail) })
  }
}

/** Returns the entry in the response for an error of one event. Throws an error that is not a `GatehouseError`. */
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
  // UTF-8 needs at most three bytes per UTF-16 unit, so most texts need no count.
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}
