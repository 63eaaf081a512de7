import { setTimeout as sleep } from 'node:timers/promises'

import type { ServerProcess } from './server-process.js'

/** One request to one instance: `null` if what is watched was accepted, else why not. */
export type Ask = (instance: ServerProcess, index: number) => Promise<string | null>

export interface Reach {
  /**
   * Milliseconds from the answer of the revoking call to the start of the last request that was accepted, by
   * instance; 0: none was.
   */
  lags: number[]
  /** Each way in which it was refused. */
  refusals: string[]
}

export interface WatchOptions {
  /** Milliseconds from when it is accepted everywhere to the revoking call. Default: 0. */
  delay?: number
  /** It counts as refused for good once nothing else was seen for so many milliseconds. Default: 500. */
  calm?: number
  /** Milliseconds from an answer to the next request. Default: 20. */
  pause?: number
}

const LIMIT = 60_000

interface Seen {
  accepted: number
  lastAccepted: number
  calmSince: number | null
}

/**
 * Asks every instance at a steady pace for something that works, revokes it, and measures how long which of them
 * still accept it.
 */
export async function reachOf (
  instances: readonly ServerProcess[],
  ask: Ask,
  revoke: () => Promise<unknown>,
  { delay = 0, calm = 500, pause = 20 }: WatchOptions
): Promise<Reach> {
  const seen = instances.map((): Seen => ({ accepted: 0, lastAccepted: 0, calmSince: null }))
  const refusals = new Set<string>()
  const state = { going: true, revoked: false }
  const pollers = Promise.all(seen.map(poll))

  async function poll (of: Seen, index: number): Promise<void> {
    for (; state.going; await sleep(pause)) {
      const start = performance.now()
      const refusal = await ask(instances[index] as ServerProcess, index)
      if (refusal === null) Object.assign(of, { accepted: of.accepted + 1, lastAccepted: start, calmSince: null })
      else if (state.revoked) of.calmSince ??= performance.now()
      else throw new Error(`refused before it was revoked: ${refusal}`)
      if (refusal !== null) refusals.add(refusal)
    }
  }

  async function until (what: string, condition: (of: Seen) => boolean): Promise<void> {
    for (const deadline = performance.now() + LIMIT; !seen.every(condition); await sleep(pause)) {
      if (performance.now() > deadline) throw new Error(`not ${what} within ${LIMIT} ms: ${JSON.stringify(seen)}`)
    }
  }

  async function measure (): Promise<number> {
    await until('accepted', ({ accepted }) => accepted >= 3)
    await sleep(delay)
    state.revoked = true
    await revoke()
    const answered = performance.now()
    await until('refused', ({ calmSince }) => calmSince !== null && performance.now() - calmSince > calm)
    return answered
  }

  try {
    const answered = await Promise.race([measure(), pollers.then(() => 0)])
    return { lags: seen.map(({ lastAccepted }) => Math.max(0, lastAccepted - answered)), refusals: [...refusals] }
  } finally {
    state.going = false
    await pollers
  }
}

/** The value below which that share of them lies. */
export function percentile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
