import { isIP } from 'node:net'

import { INVALID_REQUEST } from '../../plugins/errors.js'
import { members, memberText } from './json-text.js'
import { attributionOf } from './page-url.js'

type Fields = Record<string, unknown>

/** The `context` of a batch, which lies under that of each event. */
export interface BatchContext {
  value: Fields
  /** Its members by key, as text. */
  members: ReadonlyMap<string, string>
}

export function batchContext (value: Fields | undefined, body: string): BatchContext | null {
  if (value === undefined) return null
  return { value, members: membersByKey(memberText(body, 'context') ?? '{}') }
}

/**
 * The JSON text of an event's context as it is to be read, or `null` if it is right as it came: the batch's under it, and with
 * where the visitor came from. An unsigned sender's `ip` is replaced: anyone can write one.
 */
export function contextText (own: Fields | undefined, event: string, batch: BatchContext | null, ip: string, signed: boolean): string | null {
  const lies = !signed && (own?.['ip'] ?? batch?.value['ip']) !== undefined
  const attribution = attributionOf(pageUrl(own) ?? pageUrl(batch?.value))
  if (batch === null && !lies && attribution === null) return null

  const merged = new Map(batch?.members)
  if (own !== undefined) for (const [key, text] of membersByKey(memberText(event, 'context') ?? '{}')) merged.set(key, text)
  if (lies) merged.set('ip', `"ip":${JSON.stringify(ip)}`)
  // What the client found out itself it knows better.
  for (const [key, found] of Object.entries(attribution ?? {})) {
    if (found !== null && !merged.has(key)) merged.set(key, `"${key}":${JSON.stringify(found)}`)
  }
  return `{${Array.from(merged.values()).join(',')}}`
}

/** The end user's address as a signed sender gives it, `null` if it does not; throws `INVALID_REQUEST` for what is none. */
export function addressIn (own: Fields | undefined, batch: BatchContext | null): string | null {
  const ip = own?.['ip'] ?? batch?.value['ip']
  if (ip === undefined || ip === null) return null
  if (typeof ip === 'string' && isIP(ip) !== 0) return ip
  throw new INVALID_REQUEST({ details: [{ path: '/context/ip', message: 'must be an IP address' }] })
}

function membersByKey (object: string): Map<string, string> {
  return new Map(members(object).map(({ key, text }) => [key, text]))
}

function pageUrl (context: Fields | undefined): unknown {
  const page = context?.['page']
  return typeof page === 'object' && page !== null ? (page as Fields)['url'] : undefined
}
