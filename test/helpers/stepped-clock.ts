import { setTimeout as sleep } from 'node:timers/promises'

import type { ServerProcess, Variables } from './server-process.js'

/** What the next SIGUSR2 sets the wall clock of the process to, milliseconds beside the true one. */
const OFFSETS = [360_000, -360_000, 0]

const CLOCK = `
const True = Date
let offset = 0
globalThis.Date = class Date extends True {
  constructor (...parts) { parts.length === 0 ? super(True.now() + offset) : super(...parts) }
  static now () { return True.now() + offset }
}
const offsets = [${OFFSETS.join(', ')}]
process.on('SIGUSR2', () => {
  offset = offsets.shift() ?? 0
  console.error('clock ' + offset)
})`

/**
 * Gives a built server a wall clock that steps 6 minutes ahead, 6 minutes back and home again; its timers go on as
 * those of a machine do.
 */
export const STEPPED_CLOCK: Variables = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}` }

/** The next step; gives the offset in milliseconds, `null` after the last. */
export async function stepClock (server: ServerProcess): Promise<number | null> {
  const steps = () => server.stderr().match(/^clock .+$/gm) ?? []
  const offset = OFFSETS[steps().length]
  if (offset === undefined) return null
  const before = steps().length
  server.signal('SIGUSR2')
  while (steps().length === before) await sleep(5)
  return offset
}
