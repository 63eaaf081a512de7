import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'

import type { EventType } from '../../contracts/event-sink.js'

/** One call of a server SDK. */
export interface SdkCall {
  type: EventType
  message: Record<string, unknown> & { messageId: string }
}

/** What the server SDKs have in common: a method a type. */
export type SdkMethods = Record<
  EventType,
  (message: SdkCall['message'], callback?: (error?: unknown) => void) => unknown
>

const TURNS = ['identify', 'track', 'page', 'group', 'screen', 'alias'] as const

/** Calls of all types in turn, each unlike any other, of one user or of several. */
export function sdkCalls (count: number, userId?: string): SdkCall[] {
  return Array.from({ length: count }, (_, n) => {
    const type = TURNS[n % TURNS.length] ?? 'track'
    const own = { n, text: `"é${n}😀"\u0000`, nested: { list: [n, null, true] } }
    const fields: Record<EventType, object> = {
      track: { event: `Event ${n}`, properties: own },
      page: { name: `Page ${n}`, properties: own },
      screen: { name: `Screen ${n}`, properties: own },
      identify: { traits: own },
      group: { groupId: `group-${n}`, traits: own },
      alias: { previousId: `before-${n}` }
    }
    return { type, message: { messageId: crypto.randomUUID(), userId: userId ?? `user-${n % 7}`, ...fields[type] } }
  })
}

/** Holds that each call is stored exactly once and nothing else is, with its type and all that it said. */
export function assertStoredOnce (
  t: Test,
  calls: readonly SdkCall[],
  stored: ReadonlyArray<Record<string, unknown>>
): void {
  const times = new Map<unknown, number>()
  for (const { messageId } of stored) times.set(messageId, (times.get(messageId) ?? 0) + 1)
  const byId = new Map(stored.map((event) => [event['messageId'], event]))
  t.same(first(calls, ({ message }) => !byId.has(message.messageId)), [], 'none is lost')
  t.same([...times].filter(([, count]) => count > 1), [], 'none is stored twice')
  t.equal(stored.length, calls.length, 'and nothing else is stored')
  t.same(
    first(calls, ({ type, message }) => !says(byId.get(message.messageId), { type, ...message })),
    [],
    'each says what it was given'
  )
}

/** Some examples tell enough. */
function first (calls: readonly SdkCall[], fails: (call: SdkCall) => boolean): SdkCall[] {
  return calls.filter(fails).slice(0, 3)
}

/** Whether all that was expected is there; what an SDK adds of its own may be, too. */
function says (found: unknown, expected: unknown): boolean {
  if (!isObject(expected) || !isObject(found)) return isDeepStrictEqual(found, expected)
  return Object.entries(expected).every(([key, value]) => says(found[key], value))
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
