import type { WireParameter } from './protocol.js'

/** Encodes a parameter as `pg` does: bytes stay bytes, arrays become array literals, other objects JSON. */
export function toWireParameter (value: unknown): WireParameter {
  if (value === null || value === undefined) return null
  // Copies the view, as structured cloning would transfer its whole underlying buffer.
  if (ArrayBuffer.isView(value)) return new Uint8Array(bytesOf(value))
  return toWireString(value)
}

function toWireString (value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Date) return localTime(value)
  if (Array.isArray(value)) return arrayLiteral(value)
  return JSON.stringify(value)
}

function arrayLiteral (values: readonly unknown[]): string {
  return `{${values.map(arrayItem).join(',')}}`
}

function arrayItem (item: unknown): string {
  if (item === null || item === undefined) return 'NULL'
  if (Array.isArray(item)) return arrayLiteral(item)
  if (ArrayBuffer.isView(item)) return `"\\\\x${bytesOf(item).toString('hex')}"`
  return `"${toWireString(item).replace(/["\\]/g, '\\$&')}"`
}

function bytesOf (view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

/**
 * Local time with its offset: a column without time zone stores the local time, a column with time zone the instant.
 */
function localTime (date: Date): string {
  const year = date.getFullYear()
  const offset = -date.getTimezoneOffset()
  const day = [digits(year < 1 ? 1 - year : year, 4), digits(date.getMonth() + 1), digits(date.getDate())].join('-')
  const clock = [digits(date.getHours()), digits(date.getMinutes()), digits(date.getSeconds())].join(':')
  const zone = `${offset < 0 ? '-' : '+'}${digits(Math.trunc(Math.abs(offset) / 60))}:${digits(Math.abs(offset) % 60)}`
  return `${day}T${clock}.${digits(date.getMilliseconds(), 3)}${zone}${year < 1 ? ' BC' : ''}`
}

function digits (value: number, width = 2): string {
  return String(value).padStart(width, '0')
}
