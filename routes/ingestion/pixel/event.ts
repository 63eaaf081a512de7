import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { EventBody } from '../../../schemas/event.js'
import type { PixelType } from '../../../schemas/pixel.js'
import { parseUrl } from '../../../signing/parse-url.js'

type Strings = Record<string, string>

/** The field of the event that each parameter sets. */
const FIELDS = { uid: 'userId', aid: 'anonymousId', mid: 'messageId' } as const
const POLLUTING = /__proto__|constructor\W+prototype/
const EPOCH_MILLISECONDS = /^\d{13}$/

/**
 * Returns the event of a pixel request, from its query and the URL of its page (`Referer`). Ignores unknown parameters,
 * which other tools append to URLs. Throws `INVALID_REQUEST` for a known parameter that occurs more than once.
 */
export function pixelEvent (
  type: PixelType,
  query: Readonly<Record<string, unknown>>,
  referer: string | undefined
): Partial<EventBody> {
  const event: Partial<EventBody> = {}
  for (const parameter of ['uid', 'aid', 'mid'] as const) {
    const value = stringParameter(query[parameter])
    if (value !== undefined) event[FIELDS[parameter]] = value
  }
  const eventName = stringParameter(query['e'])
  if (eventName !== undefined && type === 'track') event.event = eventName
  if (eventName !== undefined && type === 'page') event.name = eventName
  const groupId = type === 'group' ? stringParameter(query['gid']) : undefined
  if (groupId !== undefined) event.groupId = groupId
  const timestamp = stringParameter(query['ts'])
  if (timestamp !== undefined) {
    event.timestamp = EPOCH_MILLISECONDS.test(timestamp)
      ? new Date(Number(timestamp)).toISOString()
      : timestamp
  }

  const properties = prefixed(query, 'p.')
  if (properties !== null) event.properties = properties
  const traits = prefixed(query, 't.')
  if (traits !== null) event.traits = traits
  // The Referer of an image request is the page that contains the image.
  if (referer !== undefined && isWebUrl(referer)) event.context = { page: { url: referer } }
  return event
}

function prefixed (query: Readonly<Record<string, unknown>>, prefix: 'p.' | 't.'): Strings | null {
  let found: Strings | null = null
  for (const name of Object.keys(query)) {
    if (!name.startsWith(prefix) || name.length === prefix.length) continue
    if (POLLUTING.test(name)) {
      throw new INVALID_REQUEST({ message: 'The keys __proto__ and constructor.prototype are not allowed' })
    }
    found ??= {}
    found[name.slice(prefix.length)] = stringParameter(query[name]) ?? ''
  }
  return found
}

/**
 * Returns the value of a parameter; `undefined` for an empty value, because templates write `uid=` for an unknown
 * visitor.
 */
function stringParameter (value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  throw new INVALID_REQUEST({ message: 'A parameter occurs more than once' })
}

function isWebUrl (url: string): boolean {
  return /^https?:\/\//i.test(url) && parseUrl(url) !== null
}
