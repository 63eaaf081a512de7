import type { FastifyRequest } from 'fastify'

import { isUnspecified, requestAddress } from '../../lib/http/client-address.js'
import { printableLine } from '../../signing/printable-line.js'
import type { GatehouseError } from '../../lib/errors.js'
import { EVENT_TYPES } from '../../schemas/event.js'
import type { EventType } from '../../contracts/event-sink.js'
import type { Environment, Source } from '../../contracts/token-store/index.js'

/** Characters of an origin that the live view shows. */
const MAX_ORIGIN = 200

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
  /** The `Origin` of the page whose request was refused with `ORIGIN_NOT_ALLOWED`; `null` for other refusals. */
  readonly origin: string | null
  /** ISO-8601. */
  readonly receivedAt: string
  /** Empty where there is none, and where the event asks that its address is not kept. */
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
    origin: code === 'ORIGIN_NOT_ALLOWED' ? printableLine(request.headers.origin ?? '', MAX_ORIGIN) : null,
    receivedAt: new Date().toISOString(),
    ip: shownAddress(requestAddress(request), request.body)
  }
}

/** The type that a value claims as an event; `null` if it names none that there is. */
export function typeIn (event: unknown): EventType | null {
  const type = (event as { type?: unknown } | null | undefined)?.type
  return EVENT_TYPES.find((known) => known === type) ?? null
}

/**
 * The address that a refusal shows. It is empty if the first of the values that has a `context.ip` claims `0.0.0.0` or
 * `::` there: no address would be stored with the event.
 */
export function shownAddress (ip: string, ...values: unknown[]): string {
  for (const value of values) {
    const claimed = (value as { context?: { ip?: unknown } | null } | null | undefined)?.context?.ip ?? null
    if (claimed !== null) return isUnspecified(claimed) ? '' : ip
  }
  return ip
}

function messageIdIn (event: unknown): string | null {
  const id = (event as { messageId?: unknown } | null | undefined)?.messageId
  return typeof id === 'string' && id.length <= 100 ? id : null
}
