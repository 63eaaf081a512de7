import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { requestAddress } from '../../../lib/http/client-address.js'
import { INVALID_REQUEST, INVALID_SIGNATURE, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { countProperties, DELIVERY_LIMITS } from '../../../lib/json/limits.js'
import { mostMembers } from '../../../lib/json/scan.js'
import type { GuessLimit } from '../../../lib/limits/unknown-key-limiter.js'
import { refuse, toPublicError } from '../../../lib/refuse.js'
import type { Webhook } from '../../../contracts/token-store/index.js'
import type { EventError } from '../../../schemas/ingestion.js'
import { deliverySchema } from '../../../schemas/webhook.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { EventWriter } from '../event-writer.js'
import { batchReply } from '../batch-reply.js'
import { normalise } from '../normalise.js'
import type { EventContext } from '../normalise.js'
import { eventAssertion, eventError } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { addJsonParsers } from '../body/parse-json.js'
import { guardDeliveries } from './delivery-guard.js'
import { mapEvents } from './map-events.js'
import { JsonPart } from './json-part.js'
import { compileMapping } from './mapping.js'
import type { CompiledMapping } from './mapping.js'

export interface WebhookLimits {
  /** Maximum bytes of a delivery. */
  webhookLimit: number
  /** Maximum total size of the events of one delivery, in characters. */
  batchLimit: number
  guessLimit: GuessLimit | false
}

const PATH = '/v1/webhook'
/** Bytes that an event may add to the delivery that it contains. */
const ENVELOPE = 16_384
const MAX_USER_AGENT = 1_024
/** Maximum JSONPath steps per delivery, less than 0.1 s of work and far more than a provider's events need. */
const MAX_WORK = 100_000

// The store returns the same frozen webhook to many requests, so its mapping is compiled once.
const mappings = new WeakMap<Readonly<Webhook>, CompiledMapping>()

/** Registers the route that accepts the webhook deliveries of providers, with the provider's signature and format. */
export async function webhookRoute (
  scope: FastifyInstance,
  { webhookLimit, batchLimit, guessLimit }: WebhookLimits,
  writer: EventWriter
): Promise<void> {
  // Pages do not call this route, so errors have no CORS headers.
  scope.setErrorHandler(async function sendError (thrown: unknown, _request, reply) {
    return refuse(reply, toPublicError(thrown))
  })
  const eventLimit = webhookLimit + ENVELOPE
  const eventsLimit = Math.max(batchLimit, eventLimit)
  guardDeliveries(scope, guessLimit)
  addJsonParsers(scope, {
    bodyLimit: webhookLimit,
    tooLarge: () => new PAYLOAD_TOO_LARGE(),
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
  })
  const assertEvent: AssertEvent = eventAssertion(scope, PATH, DELIVERY_LIMITS)

  scope.post(
    PATH,
    { schema: deliverySchema, bodyLimit: webhookLimit },
    async function acceptDelivery (request, reply): Promise<string> {
      const { resolvedWebhook, body, rawJson, headers } = request
      if (resolvedWebhook === null || request.webhookSignature === null) throw new INVALID_SIGNATURE()
      if (typeof body !== 'object' || body === null) {
        throw new INVALID_REQUEST({
          details: [{ path: '', message: 'must be an object or an array' }]
        })
      }
      const { webhook } = resolvedWebhook
      const subject = { value: body, part: new JsonPart(rawJson), headers, work: { left: MAX_WORK } }
      const mapped = mapEvents(mappingOf(webhook), subject, `webhook:${webhook.id}`, eventsLimit)
      return storeEvents(eventContextOf(request, request.webhookSignature), mapped, reply)
    }
  )

  /** Validates each event separately. If no event is valid, throws the error of the first event. */
  async function storeEvents (context: EventContext, mapped: readonly string[], reply: FastifyReply): Promise<string> {
    const values = mapped.map((json) => JSON.parse(json) as unknown)
    const events: AcceptedEvent[] = []
    const thrown: unknown[] = []
    const errors: EventError[] = []
    values.forEach((value, index) => {
      const json = mapped[index] ?? ''
      try {
        assertEvent(value, json, mostMembers(json), eventLimit)
        events.push(normalise({ value, json, type: value.type, index, batch: null }, context, writer.isBotAgent))
      } catch (error) {
        thrown.push(error)
        errors.push(eventError(error, value, index))
      }
    })

    if (events.length === 0 && thrown.length > 0) throw thrown[0]
    if (events.length > 0) await writer.write(context.source, events)
    if (errors.length > 0) writer.reportRejected(context, errors, values)
    return batchReply(reply, events.length, errors)
  }
}

function mappingOf (webhook: Readonly<Webhook>): CompiledMapping {
  let mapping = mappings.get(webhook)
  if (mapping === undefined) {
    mapping = compileMapping(webhook.provider, webhook.mapping, webhook.custom)
    mappings.set(webhook, mapping)
  }
  return mapping
}

/**
 * A delivery has no pipeline key and no visitor. An event without a signed id gets its `messageId` from the webhook's
 * id and the signature, so that a repeated delivery is a duplicate.
 */
function eventContextOf (request: FastifyRequest, signature: Buffer): EventContext {
  const { resolvedWebhook, headers } = request
  if (resolvedWebhook === null) throw new INVALID_SIGNATURE()
  const digest = sha256Hex(`${resolvedWebhook.webhook.id} ${signature.toString('hex')}`).slice(0, 40)
  return {
    source: resolvedWebhook.source,
    key: '',
    authMethod: 'signature',
    receivedAt: Date.now(),
    ip: requestAddress(request),
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    anonymousId: () => null,
    messageId: (index) => `signed-${digest}-${index}`
  }
}
