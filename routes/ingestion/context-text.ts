import { plainAddress } from '../../lib/http/client-address.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import { memberText } from '../../lib/json/text.js'
import type { BatchContext, Fields } from './batch/members.js'
import { ObjectText, mergedMembers } from './body/merge-objects.js'
import { attributionOf, pageUrl } from './page-url.js'

const NOTHING = new ObjectText('{}')

/**
 * The JSON text of an event's context as it is to be read, or `null` if it is right as it came: the batch's under it at every level, and
 * with where the visitor came from. `ip` replaces the address in it; a bot's context says so, whatever it said itself.
 */
export function contextText (own: Fields | undefined, event: string, batch: BatchContext | null, ip: string | null, bot: boolean): string | null {
  const url = pageUrl(own)
  const attribution = url == null && batch !== null ? batch.attribution : attributionOf(url)
  if (batch === null && ip === null && !bot && attribution === null) return null

  const under = batch ?? NOTHING
  const changes = own === undefined ? new Map<string, string>() : mergedMembers(under, new ObjectText(memberText(event, 'context') ?? '{}'))
  // What the client found out itself it knows better.
  for (const name of ['campaign', 'clickIds'] as const) {
    const found = attribution?.[name] ?? null
    if (found !== null && !changes.has(name) && !under.members.has(name)) changes.set(name, `"${name}":${JSON.stringify(found)}`)
  }
  if (ip !== null) changes.set('ip', `"ip":${JSON.stringify(ip)}`)
  if (bot) changes.set('bot', '"bot":true')
  return under.with(changes)
}

/** The user agent of whom the event is of, `null` if the event does not say. */
export function userAgentIn (own: Fields | undefined, batch: BatchContext | null): string | null {
  for (const context of [own, batch?.value]) {
    const userAgent = context?.['userAgent']
    if (typeof userAgent === 'string' && userAgent !== '') return userAgent
  }
  return null
}

/** The `ip` of an event's context; `undefined` if it has none. */
export function claimedAddress (own: Fields | undefined, batch: BatchContext | null): unknown {
  return own?.['ip'] ?? batch?.value['ip'] ?? undefined
}

/** The end user's address as a signed sender gives it; throws `INVALID_REQUEST` for a value that is not an address. */
export function assertAddress (ip: unknown): string {
  const address = typeof ip === 'string' ? plainAddress(ip) : ''
  if (address !== '') return address
  throw new INVALID_REQUEST({ details: [{ path: '/context/ip', message: 'must be an IP address' }] })
}
