import type { FastifyRequest } from 'fastify'

import { isUnspecified, requestAddress } from '../../lib/http/client-address.js'
import type { GatehouseError } from '../../lib/errors.js'
import { shownOrigin } from '../../lib/refusal-log/shown.js'
import { EVENT_TYPES } from '../../schemas/event.js'
import type { EventType } from '../../contracts/event-sink.js'
import type { Environment, Source } from '../../contracts/token-store/index.js'

/** A refused request or event, with the canonical event's property names; never contains the body. */
export interface Refusal {
  readonly status: number
  readonly code: string
  /** The public message; for a body that fails its schema, the field and the reason. */
  readonly message: string
  readonly sourceId: string
  readonly environment: Environment
  /** `null` if unknown, for example for an unreadable body. */
  readonly type: EventType | null
  readonly messageId: string | null
  /** Index of the event in its batch; `null` if the whole request was refused. */
  readonly index: number | null
  /** The `Origin` of the page whose request was refused with `ORIGIN_NOT_ALLOWED`; `null` for other refusals. */
  readonly origin: string | null
  /** ISO-8601. */
  readonly receivedAt: string
  /** Empty if unknown, and if the event asks not to store its address. */
  readonly ip: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The type of every event of this route; refusals show it before a body is read. */
    eventType?: EventType
  }
}

/** Describes a refused request whose source is known. */
export function refusalOf (
  request: FastifyRequest,
  source: Readonly<Source>,
  { statusCode: status, code, message, details }: GatehouseError
): Refusal {
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
    origin: code === 'ORIGIN_NOT_ALLOWED' ? shownOrigin(request.headers.origin ?? '') : null,
    receivedAt: new Date().toISOString(),
    ip: shownAddress(requestAddress(request), request.body)
  }
}

/** Returns the event type in an unvalidated value; `null` if there is no valid one. */
export function typeIn (event: unknown): EventType | null {
  const type = (event as { type?: unknown } | null | undefined)?.type
  return EVENT_TYPES.find((known) => known === type) ?? null
}

/**
 * Returns the address that a refusal shows. It is empty if the first value with a `context.ip` sets it to `0.0.0.0` or
 * `::`, as then no address is stored with the event.
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
