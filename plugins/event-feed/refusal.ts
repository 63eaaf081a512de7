import type { FastifyRequest } from 'fastify'

import { plainAddress } from '../client-address.js'
import type { GatehouseError } from '../errors.js'
import { EVENT_TYPES } from '../event-sink/sink.js'
import type { EventType } from '../event-sink/sink.js'
import type { Environment, Source } from '../token-store/store.js'

/** What was refused and why, in the names of the canonical event; never the body. */
export interface Refusal {
  readonly status: number
  readonly code: string
  /** The public message; of a body that fails its schema, which field and why. */
  readonly message: string
  readonly sourceId: string
  readonly environment: Environment
  /** `null` where it is not known, as with a body that could not be read. */
  readonly type: EventType | null
  readonly messageId: string | null
  /** Where in a batch the event stood; `null`: the whole request was refused. */
  readonly index: number | null
  /** ISO-8601. */
  readonly receivedAt: string
  readonly ip: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The type of every event that the route takes, for what it refuses before a body is read. */
    eventType?: EventType
  }
}

/** A whole request that was refused once its source was known. */
export function refusalOf (request: FastifyRequest, source: Readonly<Source>, { statusCode: status, code, message, details }: GatehouseError): Refusal {
  const detail = details?.[0]
  return {
    status,
    code,
    message: detail === undefined ? message : `${detail.path} ${detail.message}`.trim(),
    sourceId: source.id,
    environment: source.environment,
    type: request.routeOptions.config.eventType ?? typeIn(request.body),
    messageId: messageIdIn(request.body),
    index: null,
    receivedAt: new Date().toISOString(),
    ip: plainAddress(request.ip)
  }
}

/** The type that a value claims as an event; `null` if it names none that there is. */
export function typeIn (event: unknown): EventType | null {
  const type = (event as { type?: unknown } | null | undefined)?.type
  return EVENT_TYPES.find((known) => known === type) ?? null
}

function messageIdIn (event: unknown): string | null {
  const id = (event as { messageId?: unknown } | null | undefined)?.messageId
  return typeof id === 'string' && id.length <= 100 ? id : null
}
