const MAX_TIMESTAMP = 8.64e15

/** Converts epoch milliseconds for a timestamptz column; a value beyond the last date becomes the last date. */
export function toDate (milliseconds: number): Date {
  return new Date(Math.min(milliseconds, MAX_TIMESTAMP))
}

export function toMilliseconds (date: Date): number
export function toMilliseconds (date: Date | null): number | null
export function toMilliseconds (date: Date | null): number | null {
  return date === null ? null : date.getTime()
}
