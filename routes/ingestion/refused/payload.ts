import { isUtf8 } from 'node:buffer'

import { isUnspecified } from '../../../lib/http/client-address.js'
import { countMembers, memberElements, members, withoutMember } from '../../../lib/json/scan.js'
import type { RefusedEvent } from '../../../contracts/token-store/index.js'
import { EVENT_TYPES } from '../../../schemas/event.js'
import { BATCH_SCAN_LIMITS } from '../body/parse-json.js'
import { isObject } from '../validate-event.js'
import { PAYLOAD_LIMIT } from './options.js'

const PIPELINE_KEY = /dk_(live|test)_[A-Za-z0-9_-]{6,128}/g
const KEY_VALUE = /^dk_(?:live|test)_[A-Za-z0-9_-]{6,128}$/
const MASKED_KEY = 'dk_$1_***'
const KEY_MEMBERS = ['writeKey', 'wk'] as const
const BYTE_ORDER_MARK = '\ufeff'
const REBUILT: ReadonlySet<string> = new Set([...KEY_MEMBERS, 'batch'])
const MAX_NAME = 1_000
const MAX_ID = 100
const LIMITS = { ...BATCH_SCAN_LIMITS, eventLevel: 2 }

/**
 * Returns the refused event with the body as its payload, without the pipeline key, and with the properties that the
 * payload shows. A body that is not complete or not valid JSON in UTF-8 cannot be replayed.
 */
export function withPayload (draft: RefusedEvent, body: Buffer, isComplete: boolean): RefusedEvent {
  const isWhole = isComplete && body.length <= PAYLOAD_LIMIT
  const text = body.toString('utf8', 0, PAYLOAD_LIMIT)
  const json = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  const value = isWhole ? parsed(json) : undefined
  const isJson = value !== undefined && isUtf8(body) && draft.code !== 'INVALID_JSON'
  const replay = isJson ? draft.replay : null
  const payload = isObject(value) ? withoutKeys(json, value) : json.replace(PIPELINE_KEY, MASKED_KEY)
  return { ...draft, ...shownIn(draft, value), replay, payload, truncated: !isWhole, bytes: Buffer.byteLength(payload) }
}

function parsed (json: string): unknown {
  if (countMembers(json, LIMITS) === -1) return undefined
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

/** Returns the properties by which the event is found, and no address if the event asks not to store it. */
function shownIn ({ ip, type, replay }: RefusedEvent, value: unknown): Partial<RefusedEvent> {
  if (!isObject(value) || replay?.form === 'delivery') return {}
  const batch = Array.isArray(value['batch']) ? value['batch'] as unknown[] : null
  const [only] = batch ?? [value]
  const event = (batch === null || batch.length === 1) && isObject(only) ? only : {}
  const { messageId, event: name } = event
  return {
    ip: [event, value].some(hidesAddress) ? '' : ip,
    type: type ?? EVENT_TYPES.find((known) => known === event['type']) ?? null,
    event: typeof name === 'string' ? name.slice(0, MAX_NAME) : null,
    messageId: typeof messageId === 'string' && messageId.length <= MAX_ID ? messageId : null
  }
}

function hidesAddress ({ context }: Record<string, unknown>): boolean {
  return isObject(context) && isUnspecified(context['ip'])
}

/**
 * Removes the pipeline key from the object and from the events of a batch. An object that repeats a property keeps all
 * its properties, with the key masked, so that a replay refuses it as the server has refused it.
 */
function withoutKeys (json: string, value: Record<string, unknown>): string {
  if (repeats(json)) return json.replace(PIPELINE_KEY, MASKED_KEY)
  let clean = json
  for (const name of KEY_MEMBERS) {
    if (Object.hasOwn(value, name) && isKey(name, value[name])) clean = withoutMember(clean, name)
  }
  const batch = value['batch']
  if (!Array.isArray(batch) || !batch.some(hasKey)) return clean
  const events = memberElements(clean, 'batch').values.map((text, at) =>
    hasKey(batch[at]) ? withoutKeys(text, batch[at]) : text
  )
  const rest = members(clean).filter(({ key }) => key !== 'batch').map(({ source }) => source)
  return `{${[...rest, `"batch":[${events.join(',')}]`].join(',')}}`
}

/** Whether a property that `withoutKeys` removes or rebuilds occurs twice. */
function repeats (json: string): boolean {
  const names = members(json).map(({ key }) => key).filter((key) => REBUILT.has(key))
  return new Set(names).size < names.length
}

function hasKey (event: unknown): event is Record<string, unknown> {
  return isObject(event) && KEY_MEMBERS.some((name) => Object.hasOwn(event, name) && isKey(name, event[name]))
}

/** `writeKey` is always a key; a property `wk` may be of the event. */
function isKey (name: string, value: unknown): boolean {
  return name === 'writeKey' || (typeof value === 'string' && KEY_VALUE.test(value))
}
