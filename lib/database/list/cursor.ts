import { INVALID_REQUEST } from '../../errors.js'

/** The last row of a page. Lists are ordered by time, then by insertion sequence, newest first. */
export interface Position {
  /** Epoch milliseconds. */
  timestamp: number
  sequence: number
}

const PATTERN = /^(\d{1,16})\.(\d{1,16})$/
const MAX_TIMESTAMP = 8.64e15

/** Encodes a position as an opaque cursor. */
export function encodeCursor ({ timestamp, sequence }: Position): string {
  return Buffer.from(`${timestamp}.${sequence}`).toString('base64url')
}

/** Decodes a cursor. Throws `INVALID_REQUEST` for a string that `encodeCursor` cannot produce. */
export function decodeCursor (cursor: string): Position {
  const bytes = Buffer.from(cursor.slice(0, 64), 'base64url')
  const match = PATTERN.exec(bytes.toString('latin1'))
  const position = { timestamp: Number(match?.[1]), sequence: Number(match?.[2]) }
  if (
    match === null || position.timestamp > MAX_TIMESTAMP || !Number.isSafeInteger(position.sequence) ||
    encodeCursor(position) !== cursor
  ) {
    throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  }
  return position
}
