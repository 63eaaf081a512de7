import { memberText } from '../../../lib/json/text.js'
import type { BatchBody } from '../../../schemas/ingestion.js'
import { ObjectText } from '../body/merge-objects.js'
import { attributionOf, pageUrl } from '../page-url.js'
import type { Attribution } from '../page-url.js'
import { timeIn } from '../timestamp.js'

export type Fields = Record<string, unknown>

/** The properties of a batch that apply to all its events. A property of the event takes precedence. */
export interface BatchMembers {
  context: BatchContext | null
  integrations: ObjectText | null
  /** The JSON text of `sentAt`. */
  sentAt: string | null
  /** `sentAt` in epoch milliseconds; `null` if it is not an ISO-8601 time. */
  sentAtTime: number | null
  /** Bytes that these properties add to each event. */
  bytes: number
}

export interface BatchContext extends ObjectText {
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
      : new ObjectText(memberText(body, 'integrations') ?? '{}'),
    sentAt: sentAt === undefined || sentAt === null ? null : memberText(body, 'sentAt') ?? null,
    sentAtTime: timeIn(sentAt)
  }
  if (shared.context === null && shared.integrations === null && shared.sentAt === null) return null
  // Without the braces, because merging does not add them.
  const texts = [shared.context?.text.slice(1, -1), shared.integrations?.text.slice(1, -1), shared.sentAt]
  return { ...shared, bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0) }
}

/** Returns an object; `undefined` for `undefined`, `null` and an array, because PHP encodes an empty map as `[]`. */
export function fieldsOf (value: Fields | [] | null | undefined): Fields | undefined {
  return value === null || value === undefined || Array.isArray(value) ? undefined : value
}

function batchContext (value: Fields | undefined, body: string): BatchContext | null {
  if (value === undefined) return null
  const attribution = attributionOf(pageUrl(value))
  return Object.assign(new ObjectText(memberText(body, 'context') ?? '{}'), { value, attribution })
}
