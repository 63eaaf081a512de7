import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { EventBody } from '../../../schemas/event.js'
import type { PixelType } from '../../../schemas/pixel.js'
import { parseUrl } from '../../../signing/parse-url.js'

type Texts = Record<string, string>

/** Which field of the event a parameter is. */
const FIELDS = { uid: 'userId', aid: 'anonymousId', mid: 'messageId' } as const
const POLLUTING = /__proto__|constructor\W+prototype/
const EPOCH_MILLISECONDS = /^\d{13}$/

/**
 * The event that the parameters of a pixel and the page around it make. Parameters that are not named are ignored, so that what others
 * append to a URL does no harm; of those that are, two of one name are `INVALID_REQUEST`, as either could be meant.
 */
export function pixelEvent (type: PixelType, query: Readonly<Record<string, unknown>>, referer: string | undefined): Partial<EventBody> {
  const event: Partial<EventBody> = {}
  for (const parameter of ['uid', 'aid', 'mid'] as const) {
    const value = text(query[parameter])
    if (value !== undefined) event[FIELDS[parameter]] = value
  }
  const e = text(query['e'])
  if (e !== undefined && type === 'track') event.event = e
  if (e !== undefined && type === 'page') event.name = e
  const groupId = type === 'group' ? text(query['gid']) : undefined
  if (groupId !== undefined) event.groupId = groupId
  const ts = text(query['ts'])
  if (ts !== undefined) event.timestamp = EPOCH_MILLISECONDS.test(ts) ? new Date(Number(ts)).toISOString() : ts

  const properties = prefixed(query, 'p.')
  if (properties !== null) event.properties = properties
  const traits = prefixed(query, 't.')
  if (traits !== null) event.traits = traits
  // An image is asked for by the page that shows it.
  if (referer !== undefined && isWebUrl(referer)) event.context = { page: { url: referer } }
  return event
}

function prefixed (query: Readonly<Record<string, unknown>>, prefix: 'p.' | 't.'): Texts | null {
  let found: Texts | null = null
  for (const name of Object.keys(query)) {
    if (!name.startsWith(prefix) || name.length === prefix.length) continue
    if (POLLUTING.test(name)) throw new INVALID_REQUEST({ message: 'The keys __proto__ and constructor.prototype are not allowed' })
    found ??= {}
    found[name.slice(prefix.length)] = text(query[name]) ?? ''
  }
  return found
}

/** The value of a parameter; an empty one is absent, as templates write `uid=` for a visitor that they do not know. */
function text (value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  throw new INVALID_REQUEST({ message: 'A parameter occurs more than once' })
}

function isWebUrl (url: string): boolean {
  return /^https?:\/\//i.test(url) && parseUrl(url) !== null
}
