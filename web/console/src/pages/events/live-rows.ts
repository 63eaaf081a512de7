import type { StoredEvent } from './stored-event.ts'

export interface Refusal {
  status: number
  code: string
  message: string
  sourceId: string
  type: string | null
  messageId: string | null
  origin: string | null
  receivedAt: string
  ip: string
}

export type LiveRow =
  | { key: string, outcome: 'accepted', event: StoredEvent }
  | { key: string, outcome: 'refused', refusal: Refusal }

export const MAX_ROWS = 500

/** The rows of the live view, newest first, and those that came while it was paused. */
export interface LiveRows {
  shown: readonly LiveRow[]
  /** The newest of those that came while paused. */
  waiting: readonly LiveRow[]
  /** How many came while paused; more than `waiting` if there were too many. */
  waitingCount: number
  isPaused: boolean
}

export const NO_ROWS: LiveRows = { shown: [], waiting: [], waitingCount: 0, isPaused: false }

/** Adds rows, oldest first. */
export function add (rows: LiveRows, added: readonly LiveRow[]): LiveRows {
  const newest = added.toReversed()
  if (!rows.isPaused) return { ...rows, shown: [...newest, ...rows.shown].slice(0, MAX_ROWS) }
  return {
    ...rows,
    waiting: [...newest, ...rows.waiting].slice(0, MAX_ROWS),
    waitingCount: rows.waitingCount + added.length
  }
}

export function pause (rows: LiveRows): LiveRows {
  return { ...rows, isPaused: true }
}

export function proceed ({ shown, waiting }: LiveRows): LiveRows {
  return { shown: [...waiting, ...shown].slice(0, MAX_ROWS), waiting: [], waitingCount: 0, isPaused: false }
}
