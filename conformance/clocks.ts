import { setTimeout as sleep } from 'node:timers/promises'

/** A clock that the tests can advance. */
export interface ContractClock {
  /** Epoch milliseconds. */
  now (): number
  /** Advances the clock, or waits for the system clock. */
  advance (milliseconds: number): Promise<void>
}

/**
 * Creates a clock that stands still until `advance`.
 *
 * @example
 * const clock = manualClock()
 * await clock.advance(1_000)
 */
export function manualClock (start = Date.UTC(2026, 0, 15, 12)): ContractClock {
  let time = start
  return { now: () => time, advance: async (milliseconds) => { time += milliseconds } }
}

/**
 * Creates a clock on the system time, for a store that has no clock option; `advance` waits.
 *
 * @example
 * await tokenStoreContract(t, createStore, systemClock)
 */
export function systemClock (): ContractClock {
  return { now: Date.now, advance: async (milliseconds) => { await sleep(milliseconds + 5) } }
}
