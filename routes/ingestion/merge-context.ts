import { plainAddress } from '../../lib/http/client-address.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import { memberJson } from '../../lib/json/scan.js'
import type { BatchContext, Fields } from './batch/members.js'
import { JsonObject, mergedMembers } from './body/merge-objects.js'
import { attributionOf, pageUrl } from './page-url.js'

const EMPTY = new JsonObject('{}')

/**
 * Returns the JSON text of an event's context, or `null` if the received context needs no change. The context of the
 * batch is merged under the context of the event, and the campaign and click ids of the page's URL are added. `ip`
 * replaces the address; `bot` sets `"bot":true` whatever the client sent.
 */
export function mergeContext (
  eventContext: Fields | undefined,
  event: string,
  batch: BatchContext | null,
  ip: string | null,
  bot: boolean
): string | null {
  const url = pageUrl(eventContext)
  const attribution = url == null && batch !== null ? batch.attribution : attributionOf(url)
  if (batch === null && ip === null && !bot && attribution === null) return null

  const under = batch ?? EMPTY
  const changes = eventContext === undefined
    ? new Map<string, string>()
    : mergedMembers(under, new JsonObject(memberJson(event, 'context') ?? '{}'))
  // A campaign that the client sent takes precedence over the campaign in the URL.
  for (const name of ['campaign', 'clickIds'] as const) {
    const found = attribution?.[name] ?? null
    if (found !== null && !changes.has(name) && !under.members.has(name)) {
      changes.set(name, `"${name}":${JSON.stringify(found)}`)
    }
  }
  if (ip !== null) changes.set('ip', `"ip":${JSON.stringify(ip)}`)
  if (bot) changes.set('bot', '"bot":true')
  return under.with(changes)
}

/** Returns the user agent in the context of the event or the batch; `null` if neither has one. */
export function userAgentIn (eventContext: Fields | undefined, batch: BatchContext | null): string | null {
  for (const context of [eventContext, batch?.value]) {
    const userAgent = context?.['userAgent']
    if (typeof userAgent === 'string' && userAgent !== '') return userAgent
  }
  return null
}

/** Returns the `ip` in the context of the event or the batch; `undefined` if neither has one. */
export function claimedAddress (eventContext: Fields | undefined, batch: BatchContext | null): unknown {
  return eventContext?.['ip'] ?? batch?.value['ip'] ?? undefined
}

/**
 * Returns the end user's address that a signed request contains. Throws `INVALID_REQUEST` if it is not an IP address.
 */
export function assertAddress (ip: unknown): string {
  const address = typeof ip === 'string' ? plainAddress(ip) : ''
  if (address !== '') return address
  throw new INVALID_REQUEST({ details: [{ path: '/context/ip', message: 'must be an IP address' }] })
}
