import type { IncomingHttpHeaders } from 'node:http'

import { INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import type { Webhook } from '../../../contracts/token-store/index.js'
import { countProperties, DELIVERY_LIMITS } from '../../../lib/json/limits.js'
import { mostMembers } from '../../../lib/json/scan.js'
import type { EventError } from '../../../schemas/ingestion.js'
import type { JsonRules } from '../body/parse-json.js'
import type { BotCheck } from '../bots.js'
import { normalise } from '../normalise.js'
import type { EventContext } from '../normalise.js'
import type { RefusedItem } from '../refused/recorder.js'
import { eventError } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { mapEvents } from './map-events.js'
import { JsonPart } from './json-part.js'
import { compileMapping } from './mapping.js'
import type { CompiledMapping } from './mapping.js'

/** Bytes that an event may add to the delivery that it contains. */
const ENVELOPE = 16_384
/** Maximum JSONPath steps per delivery, less than 0.1 s of work and far more than a provider's events need. */
const MAX_WORK = 100_000

// The store returns the same frozen webhook to many requests, so its mapping is compiled once.
const mappings = new WeakMap<Readonly<Webhook>, CompiledMapping>()

export interface DeliveryLimits {
  /** Maximum bytes of an event. */
  event: number
  /** Maximum characters of all events. */
  events: number
}

/** Returns the limits of the events of a delivery. */
export function deliveryLimits (webhookLimit: number, batchLimit: number): DeliveryLimits {
  const event = webhookLimit + ENVELOPE
  return { event, events: Math.max(batchLimit, event) }
}

/** Returns the rules for the body of a delivery. */
export function deliveryRules (webhookLimit: number): JsonRules {
  return {
    bodyLimit: webhookLimit,
    tooLarge: () => new PAYLOAD_TOO_LARGE({ reason: `the body has more than ${webhookLimit} bytes` }),
    keyInBody: false,
    limits: {
      depth: DELIVERY_LIMITS.depth,
      values: 2 * DELIVERY_LIMITS.properties,
      members: DELIVERY_LIMITS.properties,
      eventMembers: Infinity,
      outerMembers: Infinity,
      eventLevel: 0
    },
    check (value) {
      countProperties(value, DELIVERY_LIMITS)
    }
  }
}

export interface DeliveryRules {
  assertEvent: AssertEvent
  limits: DeliveryLimits
  isBotAgent: BotCheck
}

/** The body of a delivery, with its text, and the headers that a mapping may read. */
export interface ReceivedDelivery {
  body: unknown
  rawJson: string
  headers: IncomingHttpHeaders
}

export interface ValidatedDelivery {
  events: AcceptedEvent[]
  errors: EventError[]
  /** All events of the delivery. */
  values: unknown[]
  items: RefusedItem[]
  /** The thrown error of each of `errors`, in the same order. */
  thrown: unknown[]
}

/** Maps a delivery to events and validates each. If no event is valid, throws the error of the first event. */
export function validateDelivery (
  webhook: Readonly<Webhook>,
  delivery: ReceivedDelivery,
  context: EventContext,
  rules: DeliveryRules
): ValidatedDelivery {
  const validated = checkDelivery(webhook, delivery, context, rules)
  if (validated.events.length === 0 && validated.thrown.length > 0) throw validated.thrown[0]
  return validated
}

/** Maps a delivery to events and validates each. Throws for a delivery that cannot be mapped. */
export function checkDelivery (
  webhook: Readonly<Webhook>,
  { body, rawJson, headers }: ReceivedDelivery,
  context: EventContext,
  { limits, isBotAgent, ...rules }: DeliveryRules
): ValidatedDelivery {
  const assertEvent: AssertEvent = rules.assertEvent
  if (typeof body !== 'object' || body === null) {
    throw new INVALID_REQUEST({ details: [{ path: '', message: 'must be an object or an array' }] })
  }
  const subject = { value: body, part: new JsonPart(rawJson), headers, work: { left: MAX_WORK } }
  const mapped = mapEvents(mappingOf(webhook), subject, `webhook:${webhook.id}`, limits.events)
  const values = mapped.map((json) => JSON.parse(json) as unknown)
  const validated: ValidatedDelivery = { events: [], errors: [], values, items: [], thrown: [] }
  values.forEach((value, index) => {
    const json = mapped[index] ?? ''
    try {
      assertEvent(value, json, mostMembers(json), limits.event)
      validated.events.push(normalise({ value, json, type: value.type, index, batch: null }, context, isBotAgent))
    } catch (error) {
      validated.thrown.push(error)
      const refusal = eventError(error, value, index)
      validated.errors.push(refusal)
      validated.items.push({ error: refusal, json: () => json })
    }
  })
  return validated
}

function mappingOf (webhook: Readonly<Webhook>): CompiledMapping {
  let mapping = mappings.get(webhook)
  if (mapping === undefined) {
    mapping = compileMapping(webhook.provider, webhook.mapping, webhook.custom)
    mappings.set(webhook, mapping)
  }
  return mapping
}
