const ZONE = '(?:Z|([+-])([01]\\d|2[0-3])(?::?([0-5]\\d))?)?'
// Hour 24 is the end of a day; second 60 is a leap second.
const HOUR = '([01]\\d|2[0-4])'
const SECOND = '([0-5]\\d|60)(?:[.,](\\d{1,9}))?'
const EXTENDED = new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)(?:[T ]${HOUR}:([0-5]\\d)(?::${SECOND})?${ZONE})?$`, 'i')
const BASIC = new RegExp(`^(\\d{4})(\\d\\d)(\\d\\d)(?:T${HOUR}([0-5]\\d)(?:${SECOND})?${ZONE})?$`, 'i')

/** The form that nearly all clients send, with a day that every month has. */
const COMMON_FORM = /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

const MAX_LENGTH = 64
const DAY = 24 * 60 * 60 * 1000
const FOUR_CENTURIES = 146_097 * DAY

/**
 * Returns the epoch milliseconds of an ISO-8601 date or date and time, in the extended or the basic format; `null` for
 * any other string. A time without a zone is UTC. `Date.parse` is too lenient: it accepts "1", "June 3" and February
 * 30.
 *
 * @example
 * parseTimestamp('2024-01-01T00:00:00+00') // 1704067200000
 * parseTimestamp('20240101T000000Z')       // 1704067200000
 * parseTimestamp('2024-01-01T24:00:00Z')   // 1704153600000
 * parseTimestamp('2016-12-31T23:59:60Z')   // 1483228800000
 */
export function parseTimestamp (value: string): number | null {
  if (COMMON_FORM.test(value)) {
    // Date.parse takes several times as long, and this runs for every event.
    return Date.UTC(
      digits(value, 0, 4),
      digits(value, 5, 7) - 1,
      digits(value, 8, 10),
      digits(value, 11, 13),
      digits(value, 14, 16),
      digits(value, 17, 19),
      digits(value, 20, 23)
    )
  }
  const match = EXTENDED.exec(value) ?? BASIC.exec(value)
  if (match === null) return null
  const [
    ,
    yyyy,
    mm,
    dd,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '0',
    sign,
    zoneHours = '0',
    zoneMinutes = '0'
  ] = match
  const [year, month, day] = [Number(yyyy), Number(mm), Number(dd)]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  if (hour === '24' && Number(minute + second + fraction) > 0) return null
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1)
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3))
  // Adds 400 years, because Date.UTC reads the year 50 as 1950.
  const wholeSecond = Date.UTC(year + 400, month - 1, day, Number(hour), Number(minute) - zone, Number(second)) -
    FOUR_CENTURIES
  // A leap second is only valid at the end of a UTC day.
  return second === '60' && wholeSecond % DAY !== 0 ? null : wholeSecond + milliseconds
}

/** Returns the epoch milliseconds of an ISO-8601 string; `null` for any other value. */
export function timeIn (value: unknown): number | null {
  return typeof value === 'string' && value.length <= MAX_LENGTH ? parseTimestamp(value) : null
}

function daysIn (year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return 30 + (month + (month >> 3)) % 2
}

function digits (source: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + source.charCodeAt(at) - 48
  return value
}
