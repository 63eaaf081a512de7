import { INVALID_REQUEST } from '../../errors.js'

/** Where a page ended: lists are ordered by time, then by the order of arrival, newest first. */
export interface Position {
  /** Epoch milliseconds. */
  timestamp: number
  sequence: number
}

const FORM = /^(\d{1,16})\.(\d{1,16})$/
const LAST_DATE = 8.64e15

export function encodeCursor ({ timestamp, sequence }: Position): string {
  return Buffer.from(`${timestamp}.${sequence}`).toString('base64url')
}

/** Throws `INVALID_REQUEST` for a text that `encodeCursor` did not make. */
export function decodeCursor (cursor: string): Position {
  const bytes = Buffer.from(cursor.slice(0, 64), 'base64url')
  const match = FORM.exec(bytes.toString('latin1'))
  const position = { timestamp: Number(match?.[1]), sequence: Number(match?.[2]) }
  if (match === null || position.timestamp > LAST_DATE || !Number.isSafeInteger(position.sequence) || encodeCursor(position) !== cursor) {
    throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  }
  return position
}
