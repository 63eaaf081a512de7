import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { DeliveryTrial } from '../../../contracts/delivery-trial.js'
import { requestAddress } from '../../../lib/http/client-address.js'
import { INVALID_SIGNATURE } from '../../../lib/errors.js'
import { DELIVERY_LIMITS } from '../../../lib/json/limits.js'
import type { GuessLimit } from '../../../lib/limits/unknown-key-limiter.js'
import { refuse, toPublicError } from '../../../lib/refuse.js'
import { deliverySchema } from '../../../schemas/webhook.js'
import type { EventWriter } from '../event-writer.js'
import { batchReply } from '../batch-reply.js'
import { MAX_USER_AGENT, repeatableId } from '../ingest-context.js'
import { deliveryDigest } from './delivery.js'
import type { EventContext } from '../normalise.js'
import { eventAssertion } from '../validate-event.js'
import type { AssertEvent } from '../validate-event.js'
import { addJsonParsers } from '../body/parse-json.js'
import type { RefusedRecorder } from '../refused/recorder.js'
import { guardDeliveries } from './delivery-guard.js'
import { deliveryTrial } from './trial.js'
import { deliveryLimits, deliveryRules, validateDelivery } from './validate.js'

export interface WebhookLimits {
  /** Maximum bytes of a delivery. */
  webhookLimit: number
  /** Maximum total size of the events of one delivery, in characters. */
  batchLimit: number
  guessLimit: GuessLimit | false
}

const PATH = '/v1/webhook'

/**
 * Registers the route that accepts the webhook deliveries of providers, with the provider's signature and format.
 * Returns a trial of deliveries by the same rules.
 */
export async function webhookRoute (
  scope: FastifyInstance,
  { webhookLimit, batchLimit, guessLimit }: WebhookLimits,
  writer: EventWriter,
  recorder: RefusedRecorder | null
): Promise<DeliveryTrial> {
  // Pages do not call this route, so errors have no CORS headers.
  scope.setErrorHandler(async function sendError (thrown: unknown, _request, reply) {
    return refuse(reply, toPublicError(thrown))
  })
  const limits = deliveryLimits(webhookLimit, batchLimit)
  guardDeliveries(scope, guessLimit)
  addJsonParsers(scope, deliveryRules(webhookLimit))
  const assertEvent: AssertEvent = eventAssertion(scope, PATH, DELIVERY_LIMITS)

  const rules = { assertEvent, limits, isBotAgent: writer.isBotAgent }

  scope.post(
    PATH,
    { schema: deliverySchema, bodyLimit: webhookLimit, config: { refusedForm: 'delivery' } },
    async function acceptDelivery (request, reply): Promise<string> {
      const { resolvedWebhook, body, rawJson, headers } = request
      if (resolvedWebhook === null || request.webhookSignature === null) throw new INVALID_SIGNATURE()
      const delivery = { body, rawJson, headers }
      const context = eventContextOf(request, request.webhookSignature)
      const { events, errors, values, items } = validateDelivery(resolvedWebhook.webhook, delivery, context, rules)
      if (events.length > 0) await writer.write(context.source, events)
      if (errors.length > 0) {
        writer.reportRejected(request, context, errors, values)
        if (context.source.keepRefused) recorder?.keepItems(request, context.source, items)
      }
      return batchReply(reply, events.length, errors)
    }
  )
  return deliveryTrial(webhookLimit, rules)
}

/**
 * A delivery has no pipeline key and no visitor. An event without a signed id gets its `messageId` from the webhook's
 * id and the signature, so that a repeated delivery is a duplicate.
 */
function eventContextOf (request: FastifyRequest, signature: Buffer): EventContext {
  const { resolvedWebhook, headers } = request
  if (resolvedWebhook === null) throw new INVALID_SIGNATURE()
  const digest = deliveryDigest(resolvedWebhook.webhook.id, signature)
  return {
    source: resolvedWebhook.source,
    key: '',
    authMethod: 'signature',
    receivedAt: Date.now(),
    ip: requestAddress(request),
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    anonymousId: () => null,
    messageId: (index) => repeatableId(digest, index)
  }
}
