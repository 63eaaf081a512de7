import { createStore } from '../../console/src/api/store.ts'
import { readJson } from './page.ts'

export type Party = 'browser' | 'server' | 'backend' | 'databrain' | 'boldbi' | 'dxfeed' | 'attacker'
export type Topic = 'databrain' | 'boldbi' | 'dxfeed' | 'events'

/** One request and its response, as the server recorded them. */
export interface Call {
  id: number
  /** When the request arrived, in epoch milliseconds with fractions. */
  at: number
  topic: Topic
  from: Party
  to: Party
  method: string
  path: string
  headers: string[]
  status: number
  milliseconds: number
  code: string | null
  message: string | null
}

export interface StoredEvent {
  messageId: string
  type: string
  authMethod: 'key' | 'signature'
  receivedAt: number
  event: string | null
}

const OFTEN = 350
const SELDOM = 2_500
/** How long the page asks often after the visitor did something. */
const ACTIVE = 8_000
const MAX_CALLS = 300

export const calls = createStore<readonly Call[]>([])
export const storedEvents = createStore<readonly StoredEvent[]>([])

let last = 0
let activeUntil = 0
let timer: ReturnType<typeof setTimeout> | undefined
let polling: Promise<void> | null = null
let stopped = true

/** Starts or restarts the timeline of the current session. */
export function startTimeline (): void {
  last = 0
  calls.set([])
  storedEvents.set([])
  stopped = false
  activeUntil = Date.now() + ACTIVE
  schedule()
}

/** Stops the timeline, and waits for the request in flight. */
export async function stopTimeline (): Promise<void> {
  stopped = true
  clearTimeout(timer)
  await polling
}

/** Asks more often, because requests are about to happen. */
export function expectCalls (): void {
  activeUntil = Date.now() + ACTIVE
  schedule()
}

/** Returns the id of the newest call so far. */
export async function newestCall (): Promise<number> {
  await poll()
  return last
}

document.addEventListener('visibilitychange', () => { if (!stopped) schedule() })

function schedule (): void {
  clearTimeout(timer)
  if (stopped || document.hidden) return
  timer = setTimeout(() => { poll().finally(schedule) }, Date.now() < activeUntil ? OFTEN : SELDOM)
}

function poll (): Promise<void> {
  polling ??= read().catch(() => {}).finally(() => { polling = null })
  return polling
}

async function read (): Promise<void> {
  if (stopped) return
  const response = await fetch(`/demo/timeline?after=${last}`, { cache: 'no-store' })
  const { calls: added, events } = await readJson(response) as { calls: Call[], events: StoredEvent[] | null }
  const newest = added.at(-1)
  if (newest !== undefined) {
    last = newest.id
    calls.set([...calls.get(), ...added].slice(-MAX_CALLS))
  }
  if (events !== null) storedEvents.set(events)
}
