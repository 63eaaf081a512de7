const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?$/
/** Smaller numbers are seconds. As seconds this is in the year 5138, as milliseconds in 1973. */
const FIRST_MILLISECONDS = 1e11
const LAST_DATE = 8.64e15

/**
 * Converts unix seconds or milliseconds to ISO-8601. Returns any other string, and a number out of range, unchanged.
 */
export function toIsoTime (value: string): string {
  if (!NUMBER.test(value)) return value
  const number = Number(value)
  const time = Math.abs(number) < FIRST_MILLISECONDS ? number * 1000 : number
  return Math.abs(time) <= LAST_DATE ? new Date(time).toISOString() : value
}
