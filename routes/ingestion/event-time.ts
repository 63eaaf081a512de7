import { INVALID_REQUEST } from '../../lib/errors.js'
import type { EventBody } from '../../schemas/event.js'
import type { BatchMembers } from './batch/members.js'
import { parseTimestamp, timeIn } from './timestamp.js'

const DAY = 24 * 60 * 60 * 1000
const YEAR_0 = Date.parse('0000-01-01T00:00:00.000Z')

/**
 * When an event happened by the clock of the server, by Segment's rule: what lay between the event and the sending of its request, both by
 * the clock of the device, is taken from when the request was received. `null` without `sentAt`, or without a time that it could correct;
 * a `sentAt` that is not an ISO-8601 time corrects nothing.
 */
export function correctedTimestamp (value: Partial<EventBody>, batch: BatchMembers | null, receivedAt: number): number | null {
  const sentAt = value.sentAt === undefined || value.sentAt === null ? batch?.sentAtTime ?? null : timeIn(value.sentAt)
  if (sentAt === null) return null
  const happened = timeIn(value.originalTimestamp) ?? timeIn(value.timestamp)
  return happened === null ? null : receivedAt - (sentAt - happened)
}

/** When an event happened as it says itself, else when it was received. Throws `INVALID_REQUEST` for a `timestamp` that is not ISO-8601. */
export function claimedTimestamp ({ timestamp, originalTimestamp }: Partial<EventBody>, receivedAt: number): number {
  if (timestamp === undefined || timestamp === null) {
    return originalTimestamp === undefined ? receivedAt : timeIn(originalTimestamp) ?? receivedAt
  }
  const time = parseTimestamp(timestamp)
  if (time === null) throw invalid('must be an ISO-8601 date and time')
  return time
}

/** Throws `INVALID_REQUEST` for a time that is more than 24 hours ahead, or too long ago to be written with four digits of a year. */
export function assertTimestamp (timestamp: number, receivedAt: number): void {
  if (timestamp > receivedAt + DAY) throw invalid('must not lie more than 24 hours ahead')
  if (timestamp < YEAR_0) throw invalid('must not lie before the year 0')
}

function invalid (message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ details: [{ path: '/timestamp', message }] })
}
