import type { EventError } from '../schemas/ingestion.js'
import type { Source, Webhook } from './token-store/index.js'

/** The events that a delivery would be stored as, and the errors of those that would be refused. */
export interface TriedDelivery {
  /** The events that would be stored, as the event list shows them. */
  events: Array<Record<string, unknown>>
  /** The events that would be refused, and why. */
  errors: EventError[]
}

/** Maps deliveries of webhooks to events without storing them. */
export interface DeliveryTrial {
  /**
   * Maps a delivery to events and validates each, as the webhook route does after the signature is verified. Stores and
   * counts nothing. The names of `headers` are in lower case.
   */
  tryDelivery (
    webhook: Readonly<Webhook>,
    source: Readonly<Source>,
    delivery: { body: unknown, headers: Readonly<Record<string, string>> }
  ): TriedDelivery
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Tries deliveries of webhooks. `ingestion` decorates the app with it. */
    deliveryTrial: DeliveryTrial
  }
}
