import { plainAddress } from '../../plugins/client-address.js'
import { INVALID_REQUEST } from '../../plugins/errors.js'
import { memberText } from './json-text.js'
import { attributionOf } from './page-url.js'
import type { Attribution } from './page-url.js'

type Fields = Record<string, unknown>

/** The `context` of a batch, which lies under that of each event. */
export interface BatchContext {
  value: Fields
  /** Its members as text. */
  members: string
  /** By its page, for the events that name none. */
  attribution: Attribution | null
}

export function batchContext (value: Fields | undefined, body: string): BatchContext | null {
  if (value === undefined) return null
  return { value, members: membersOf(body), attribution: attributionOf(pageUrl(value)) }
}

/**
 * The JSON text of an event's context as it is to be read, or `null` if it is right as it came: the batch's under it, and with
 * where the visitor came from. An unsigned sender's `ip` is replaced: anyone can write one. Of a bot it says so, whatever it said itself.
 */
export function contextText (own: Fields | undefined, event: string, batch: BatchContext | null, ip: string, signed: boolean, bot: boolean): string | null {
  const lies = !signed && (own?.['ip'] ?? batch?.value['ip']) !== undefined
  const url = pageUrl(own)
  const attribution = url == null && batch !== null ? batch.attribution : attributionOf(url)
  if (batch === null && !lies && !bot && attribution === null) return null

  // Of a key that occurs twice the last counts, so nothing has to be looked up: what the client found out itself it knows better.
  const parts = [
    attribution === null ? '' : JSON.stringify({ campaign: attribution.campaign ?? undefined, clickIds: attribution.clickIds ?? undefined }).slice(1, -1),
    batch?.members ?? '',
    own === undefined ? '' : membersOf(event),
    lies ? `"ip":${JSON.stringify(ip)}` : '',
    bot ? '"bot":true' : ''
  ]
  return `{${parts.filter((part) => part !== '').join(',')}}`
}

/** The user agent of whom the event is of, `null` if the event does not say. */
export function userAgentIn (own: Fields | undefined, batch: BatchContext | null): string | null {
  for (const context of [own, batch?.value]) {
    const userAgent = context?.['userAgent']
    if (typeof userAgent === 'string' && userAgent !== '') return userAgent
  }
  return null
}

/** The end user's address as a signed sender gives it, `null` if it does not; throws `INVALID_REQUEST` for what is none. */
export function addressIn (own: Fields | undefined, batch: BatchContext | null): string | null {
  const ip = own?.['ip'] ?? batch?.value['ip']
  if (ip === undefined || ip === null) return null
  const address = typeof ip === 'string' ? plainAddress(ip) : ''
  if (address !== '') return address
  throw new INVALID_REQUEST({ details: [{ path: '/context/ip', message: 'must be an IP address' }] })
}

function membersOf (object: string): string {
  return (memberText(object, 'context') ?? '{}').slice(1, -1).trim()
}

function pageUrl (context: Fields | undefined): unknown {
  const page = context?.['page']
  return typeof page === 'object' && page !== null ? (page as Fields)['url'] : undefined
}
