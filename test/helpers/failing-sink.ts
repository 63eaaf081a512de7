import { setTimeout as sleep } from 'node:timers/promises'

import { UNAVAILABLE } from '../../lib/errors.js'
import { memorySink } from '../../plugins/event-sink/memory/index.js'
import type { ReadableEventSink } from '../../contracts/event-sink.js'

/** How a write fails: nothing is written, or all is and the confirmation is lost, as when a database's answer is. */
export type Failure = 'refused' | 'unconfirmed'

export interface FailingSink extends ReadableEventSink {
  /** From now on every write fails. */
  fail (how: Failure): void
  heal (): void
  /** Resolves when so many writes have failed in all. */
  failed (count: number): Promise<void>
}

/** A memory sink with outages: the backend fails, everything before it is as ever. */
export function failingSink (): FailingSink {
  const sink = memorySink()
  let failure: Failure | null = null
  let failures = 0

  const missing = (count: number) => count - failures

  return {
    ...sink,
    async write (events) {
      if (failure !== 'refused') await sink.write(events)
      if (failure === null) return
      failures++
      throw new UNAVAILABLE({ reason: failure })
    },
    fail (how) { failure = how },
    heal () { failure = null },
    async failed (count) {
      const deadline = Date.now() + 60_000
      while (missing(count) > 0) {
        if (Date.now() > deadline) throw new Error(`${missing(count)} of ${count} writes have not failed`)
        await sleep(5)
      }
    }
  }
}
