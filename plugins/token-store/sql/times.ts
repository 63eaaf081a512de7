const LAST_DATE = 8.64e15

/** Epoch milliseconds for a timestamptz column; what lies beyond the last date becomes that. */
export function toDate (milliseconds: number): Date {
  return new Date(Math.min(milliseconds, LAST_DATE))
}

export function toMilliseconds (date: Date): number
export function toMilliseconds (date: Date | null): number | null
export function toMilliseconds (date: Date | null): number | null {
  return date === null ? null : date.getTime()
}
