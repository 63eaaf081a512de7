import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { countProperties, EVENT_LIMITS } from '../../../lib/json/limits.js'
import { memberElements } from '../../../lib/json/scan.js'
import type { Boundaries } from '../../../lib/json/scan.js'
import { assertUnrepeated } from '../../../lib/json/known-members.js'
import type { BatchBody, EventError } from '../../../schemas/ingestion.js'
import { BATCH_MEMBERS } from '../body/known-members.js'
import { BATCH_SCAN_LIMITS } from '../body/parse-json.js'
import type { JsonRules } from '../body/parse-json.js'
import type { BotCheck } from '../bots.js'
import { normalise } from '../normalise.js'
import type { EventContext } from '../normalise.js'
import type { RefusedItem } from '../refused/recorder.js'
import { eventError, isObject } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { batchMembers, batchOf } from './members.js'

/** Creates the 400 error for a batch above the limit. Datafly Signal documents 400, not 413. */
export function batchTooLarge (limit: number): GatehouseError {
  return new INVALID_REQUEST({ message: 'The batch is too large', reason: `the body has more than ${limit} bytes` })
}

export interface BatchLimits {
  batchLimit: number
  eventLimit: number
  keylessLimit: number
}

/** The body of a batch, with its text. */
export interface ReceivedBatch {
  body: BatchBody
  rawJson: string
  /** An upper bound for the number of members in `rawJson`. */
  jsonMembers: number
  /** Where the events begin and end in `rawJson`, if that is known. */
  jsonBoundaries: Boundaries | null
}

export interface BatchRules {
  assertEvent: AssertEvent
  eventLimit: number
  isBotAgent: BotCheck
  /** Returns the refused events for a source that keeps them. */
  keepsRefused: boolean
}

export interface ValidatedEvents {
  events: AcceptedEvent[]
  errors: EventError[]
  /** The rejected values, each at its index in the batch. */
  rejected: unknown[]
  /** The rejected events of a source that keeps them. */
  items: RefusedItem[]
}

/** Returns the rules for the body of a batch. */
export function batchRules ({ batchLimit, keylessLimit }: BatchLimits): JsonRules {
  return {
    bodyLimit: batchLimit,
    keylessLimit,
    tooLarge: () => batchTooLarge(batchLimit),
    keyInBody: true,
    limits: { ...BATCH_SCAN_LIMITS, eventLevel: 2 },
    // Only the envelope is checked here: an error in an event rejects that event, not the batch.
    check (value) {
      countProperties(isObject(value) ? withoutBatch(value) : value, EVENT_LIMITS)
    }
  }
}

/** Validates each event of a batch. Throws `INVALID_REQUEST` for repeated members of the batch itself. */
export function validateBatch (
  { body, rawJson, jsonMembers, jsonBoundaries }: ReceivedBatch,
  context: EventContext,
  { eventLimit, isBotAgent, keepsRefused, ...rules }: BatchRules
): ValidatedEvents {
  const assertEvent: AssertEvent = rules.assertEvent
  const { values: rawEvents, members } = memberElements(rawJson, 'batch', jsonBoundaries)
  const outsideEvents = members.reduce((left, inEvent) => left - inEvent, jsonMembers)
  // The envelope has its own members and "batch"; a surplus is a repeated member.
  if (outsideEvents > countProperties(withoutBatch(body), EVENT_LIMITS) + 1) assertUnrepeated(rawJson, BATCH_MEMBERS)
  const batch = batchMembers(body, rawJson)
  // Shared members are stored with each event, so they count towards the limit of each event.
  const maxBytes = eventLimit - (batch === null ? 0 : batch.bytes)
  const validated: ValidatedEvents = { events: [], errors: [], rejected: [], items: [] }
  body.batch.forEach((value, index) => {
    const json = rawEvents[index] ?? ''
    try {
      assertEvent(value, json, members[index] ?? 0, maxBytes)
      validated.events.push(normalise({ value, json, type: value.type, index, batch }, context, isBotAgent))
    } catch (error) {
      const refusal = eventError(error, value, index)
      validated.errors.push(refusal)
      validated.rejected[index] = value
      if (keepsRefused && context.source.keepRefused) {
        validated.items.push({ error: refusal, json: () => batchOf(batch, json) })
      }
    }
  })
  return validated
}

function withoutBatch (envelope: Record<string, unknown>): Record<string, unknown> {
  const { batch, ...rest } = envelope
  return rest
}
