import { setTimeout as sleep } from 'node:timers/promises'

import type { AcceptedEvent, EventSink } from '../../plugins/event-sink/index.js'
import { anEvent } from '../../conformance/event-sink/index.js'

export interface Refusal {
  code: string
  /** Milliseconds until it came. */
  after: number
}

export interface SinkLoad {
  /** The messageIds of the writes that resolved, in that order. */
  acknowledged: string[]
  sent: Set<string>
  refusals: Refusal[]
  /** Resolves when so many more are acknowledged; rejects after 30 s. */
  more(events: number): Promise<void>
  /** Writes no more and waits for what is under way. */
  stop(): Promise<void>
}

const PAUSE = 20

/** Writes events without pause, one or ten at a time, and repeats what is refused as it was, as clients do. */
export function writeEvents (sink: EventSink, { writers = 16, bytes = 200 } = {}): SinkLoad {
  const load: SinkLoad = { acknowledged: [], sent: new Set(), refusals: [], more, stop }
  const state = { going: true }
  const filler = 'x'.repeat(bytes)
  const all = Promise.all(Array.from({ length: writers }, (_, index) => writer(index % 2 === 0 ? 1 : 10)))

  async function writer (size: number): Promise<void> {
    while (state.going) {
      const payload = JSON.stringify({ filler })
      const events = Array.from(
        { length: size },
        () => anEvent({ messageId: crypto.randomUUID(), receivedAt: Date.now(), payload })
      )
      for (const { messageId } of events) load.sent.add(messageId)
      for (let stored = false; !stored && state.going;) {
        stored = await written(events)
        if (!stored) await sleep(PAUSE)
      }
    }
  }

  async function written (events: readonly AcceptedEvent[]): Promise<boolean> {
    const start = performance.now()
    try {
      await sink.write(events)
    } catch (error) {
      load.refusals.push({ code: String((error as { code?: unknown }).code), after: performance.now() - start })
      return false
    }
    load.acknowledged.push(...events.map(({ messageId }) => messageId))
    return true
  }

  async function more (events: number): Promise<void> {
    const wanted = load.acknowledged.length + events
    for (const deadline = Date.now() + 120_000; load.acknowledged.length < wanted; await sleep(5)) {
      if (Date.now() > deadline) {
        throw new Error(
          `${load.acknowledged.length} of ${wanted} events were acknowledged, ${load.refusals.length} writes refused`
        )
      }
    }
  }

  async function stop (): Promise<void> {
    state.going = false
    await all
  }
  return load
}
