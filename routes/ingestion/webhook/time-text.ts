const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?$/
/** As seconds in the year 5138, as milliseconds in 1973: what is smaller are seconds. */
const FIRST_MILLISECONDS = 1e11
const LAST_DATE = 8.64e15

/** An ISO-8601 text of unix seconds or milliseconds; any other text, and a number that is no time, stays as it is. */
export function timeText (text: string): string {
  if (!NUMBER.test(text)) return text
  const number = Number(text)
  const time = Math.abs(number) < FIRST_MILLISECONDS ? number * 1000 : number
  return Math.abs(time) <= LAST_DATE ? new Date(time).toISOString() : text
}
