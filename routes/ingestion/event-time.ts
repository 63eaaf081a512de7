import { INVALID_REQUEST } from '../../lib/errors.js'
import type { EventBody } from '../../schemas/event.js'
import type { BatchMembers } from './batch/members.js'
import { parseTimestamp, timeIn } from './timestamp.js'

const DAY = 24 * 60 * 60 * 1000
const YEAR_0 = Date.parse('0000-01-01T00:00:00.000Z')

/**
 * Returns the time of an event by the server's clock, in epoch milliseconds, by Segment's rule:
 * `receivedAt - (sentAt - timestamp)`, which corrects the clock of the device. Returns `null` if `sentAt` or the
 * time of the event is missing or is not an ISO-8601 time.
 */
export function correctedTimestamp (
  value: Partial<EventBody>,
  batch: BatchMembers | null,
  receivedAt: number
): number | null {
  const sentAt = value.sentAt === undefined || value.sentAt === null ? batch?.sentAtTime ?? null : timeIn(value.sentAt)
  if (sentAt === null) return null
  const happened = timeIn(value.originalTimestamp) ?? timeIn(value.timestamp)
  return happened === null ? null : receivedAt - (sentAt - happened)
}

/**
 * Returns the `timestamp` that the event contains, in epoch milliseconds; without one, `originalTimestamp` or
 * `receivedAt`. Throws `INVALID_REQUEST` for a `timestamp` that is not ISO-8601.
 */
export function claimedTimestamp ({ timestamp, originalTimestamp }: Partial<EventBody>, receivedAt: number): number {
  if (timestamp === undefined || timestamp === null) {
    return originalTimestamp === undefined ? receivedAt : timeIn(originalTimestamp) ?? receivedAt
  }
  const time = parseTimestamp(timestamp)
  if (time === null) throw invalid('must be an ISO-8601 date and time')
  return time
}

/** Throws `INVALID_REQUEST` for a time more than 24 hours ahead, or before the year 0, which needs a longer format. */
export function assertTimestamp (timestamp: number, receivedAt: number): void {
  if (timestamp > receivedAt + DAY) throw invalid('must not be more than 24 hours ahead')
  if (timestamp < YEAR_0) throw invalid('must not be before the year 0')
}

function invalid (message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ details: [{ path: '/timestamp', message }] })
}
