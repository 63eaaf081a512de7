const STAMP = /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/

/**
 * Reads a PostgreSQL date, timestamp or timestamptz as `pg` does: without an offset it is local time; `infinity` becomes the number.
 * A text that is none of these (another DateStyle) becomes `null`, as with `pg`.
 */
export function parseDate (text: string): Date | number | null {
  if (text === 'infinity') return Infinity
  if (text === '-infinity') return -Infinity
  const match = STAMP.exec(text)
  if (match === null) return null
  const at = (group: number) => Number(match[group] ?? 0)

  const year = match[12] === undefined ? at(1) : 1 - at(1)
  const milliseconds = Number((match[7] ?? '').slice(1, 4).padEnd(3, '0'))
  const time = [at(4), at(5), at(6), milliseconds] as const
  const date = new Date(0)
  // The setters take years below 100 as they are, which the constructor would move to the 20th century.
  if (match[8] === undefined) {
    date.setFullYear(year, at(2) - 1, at(3))
    date.setHours(...time)
    return date
  }
  date.setUTCFullYear(year, at(2) - 1, at(3))
  date.setUTCHours(...time)
  const offset = (at(9) * 3600 + at(10) * 60 + at(11)) * 1000
  return new Date(date.getTime() - (match[8] === '-' ? -offset : offset))
}
