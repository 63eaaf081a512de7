/** A time span, epoch milliseconds; `to` is exclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

const DAY = 86_400_000

/** Returns the UTC day of a time. */
export function utcDay (time: number): Span {
  const from = Math.floor(time / DAY) * DAY
  return { from, to: from + DAY }
}

/** Returns the UTC calendar month of a time. */
export function utcMonth (time: number): Span {
  const date = new Date(time)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) }
}
