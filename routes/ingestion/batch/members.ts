import { memberText } from '../../../lib/json/text.js'
import type { BatchBody } from '../../../schemas/ingestion.js'
import { ObjectText } from '../body/merge-objects.js'
import { attributionOf, pageUrl } from '../page-url.js'
import type { Attribution } from '../page-url.js'
import { timeIn } from '../timestamp.js'

export type Fields = Record<string, unknown>

/** What a batch says of all its events; each event's own members win. */
export interface BatchMembers {
  context: BatchContext | null
  integrations: ObjectText | null
  /** The JSON text of `sentAt`. */
  sentAt: string | null
  /** The same in epoch milliseconds, `null` if it is not an ISO-8601 time. */
  sentAtTime: number | null
  /** Bytes that these members add to each event. */
  bytes: number
}

export interface BatchContext extends ObjectText {
  value: Fields
  /** From its page's URL, for the events that name no page. */
  attribution: Attribution | null
}

/** The members that a batch's events share; `null` if it has none. */
export function batchMembers ({ context, integrations, sentAt }: BatchBody, body: string): BatchMembers | null {
  const shared = {
    context: batchContext(fieldsOf(context), body),
    integrations: fieldsOf(integrations) === undefined ? null : new ObjectText(memberText(body, 'integrations') ?? '{}'),
    sentAt: sentAt === undefined || sentAt === null ? null : memberText(body, 'sentAt') ?? null,
    sentAtTime: timeIn(sentAt)
  }
  if (shared.context === null && shared.integrations === null && shared.sentAt === null) return null
  // Without the braces: they are not what an event has more.
  const texts = [shared.context?.text.slice(1, -1), shared.integrations?.text.slice(1, -1), shared.sentAt]
  return { ...shared, bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0) }
}

/** The value of a member that holds an object; `undefined` if there is none: no member, `null`, or the empty array that PHP makes of an empty map. */
export function fieldsOf (value: Fields | [] | null | undefined): Fields | undefined {
  return value === null || value === undefined || Array.isArray(value) ? undefined : value
}

function batchContext (value: Fields | undefined, body: string): BatchContext | null {
  if (value === undefined) return null
  return Object.assign(new ObjectText(memberText(body, 'context') ?? '{}'), { value, attribution: attributionOf(pageUrl(value)) })
}
