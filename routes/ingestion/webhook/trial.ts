import type { DeliveryTrial, TriedDelivery } from '../../../contracts/delivery-trial.js'
import { GatehouseError } from '../../../lib/errors.js'
import { viewEvent } from '../../../plugins/event-sink/event-view.js'
import { sha256 } from '../../../signing/digest.js'
import { repeatableId } from '../ingest-context.js'
import type { EventContext } from '../normalise.js'
import { eventError } from '../validate-event.js'
import { deliveryDigest } from './delivery.js'
import { checkDelivery, deliveryRules } from './validate.js'
import type { DeliveryRules } from './validate.js'

/** Returns the trial of deliveries with the rules of the webhook route. */
export function deliveryTrial (webhookLimit: number, rules: DeliveryRules): DeliveryTrial {
  const { check } = deliveryRules(webhookLimit)

  return {
    tryDelivery (webhook, source, { body, headers }): TriedDelivery {
      const rawJson = JSON.stringify(body)
      // The signature of a delivery is over its bytes, so an equal body has equal ids.
      const digest = deliveryDigest(webhook.id, sha256(rawJson))
      const context: EventContext = {
        source,
        key: '',
        authMethod: 'signature',
        receivedAt: Date.now(),
        ip: '',
        userAgent: null,
        anonymousId: () => null,
        messageId: (index) => repeatableId(digest, index)
      }
      try {
        check(body, rawJson, 0)
        const { events, errors } = checkDelivery(webhook, { body, rawJson, headers }, context, rules)
        return { events: events.map(viewEvent), errors }
      } catch (error) {
        // An error of the whole delivery.
        if (!(error instanceof GatehouseError) || error.statusCode >= 500) throw error
        return { events: [], errors: [eventError(error, null, 0)] }
      }
    }
  }
}
