import { setTimeout as sleep } from 'node:timers/promises'

export interface ContractClock {
  /** Epoch milliseconds. */
  now (): number
  advance (milliseconds: number): Promise<void>
}

/** A clock that stands still until it is told. */
export function manualClock (start = Date.UTC(2026, 0, 15, 12)): ContractClock {
  let time = start
  return { now: () => time, advance: async (milliseconds) => { time += milliseconds } }
}

/** The clock of the machine, for a store that cannot be given another. */
export function systemClock (): ContractClock {
  return { now: Date.now, advance: async (milliseconds) => { await sleep(milliseconds + 5) } }
}
