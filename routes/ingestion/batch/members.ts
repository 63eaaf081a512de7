import { memberJson } from '../../../lib/json/scan.js'
import type { BatchBody } from '../../../schemas/ingestion.js'
import { JsonObject } from '../body/merge-objects.js'
import { attributionOf, pageUrl } from '../page-url.js'
import type { Attribution } from '../page-url.js'
import { timeIn } from '../timestamp.js'

export type Fields = Record<string, unknown>

/** The properties of a batch that apply to all its events. A property of the event takes precedence. */
export interface BatchMembers {
  context: BatchContext | null
  integrations: JsonObject | null
  /** The JSON text of `sentAt`. */
  sentAt: string | null
  /** `sentAt` in epoch milliseconds; `null` if it is not an ISO-8601 time. */
  sentAtTime: number | null
  /** Bytes that these properties add to each event. */
  bytes: number
}

export interface BatchContext extends JsonObject {
  value: Fields
  /** From the URL of the batch's page; applies to events without a page. */
  attribution: Attribution | null
}

/** Returns the properties that the events of a batch share; `null` if the batch has none. */
export function batchMembers ({ context, integrations, sentAt }: BatchBody, body: string): BatchMembers | null {
  const shared = {
    context: batchContext(fieldsOf(context), body),
    integrations: fieldsOf(integrations) === undefined
      ? null
      : new JsonObject(memberJson(body, 'integrations') ?? '{}'),
    sentAt: sentAt === undefined || sentAt === null ? null : memberJson(body, 'sentAt') ?? null,
    sentAtTime: timeIn(sentAt)
  }
  if (shared.context === null && shared.integrations === null && shared.sentAt === null) return null
  // Without the braces, because merging does not add them.
  const parts = [shared.context?.json.slice(1, -1), shared.integrations?.json.slice(1, -1), shared.sentAt]
  return { ...shared, bytes: parts.reduce((sum, part) => sum + Buffer.byteLength(part ?? ''), 0) }
}

/** Returns the body of a batch with one event, to which the same properties apply. */
export function batchOf (batch: BatchMembers | null, event: string): string {
  const shared = {
    context: batch?.context?.json ?? null,
    integrations: batch?.integrations?.json ?? null,
    sentAt: batch?.sentAt ?? null
  }
  const parts = Object.entries(shared).flatMap(([name, json]) => json === null ? [] : [`"${name}":${json}`])
  return `{${[...parts, `"batch":[${event}]`].join(',')}}`
}

/** Returns an object; `undefined` for `undefined`, `null` and an array, because PHP encodes an empty map as `[]`. */
export function fieldsOf (value: Fields | [] | null | undefined): Fields | undefined {
  return value === null || value === undefined || Array.isArray(value) ? undefined : value
}

function batchContext (value: Fields | undefined, body: string): BatchContext | null {
  if (value === undefined) return null
  const attribution = attributionOf(pageUrl(value))
  return Object.assign(new JsonObject(memberJson(body, 'context') ?? '{}'), { value, attribution })
}
