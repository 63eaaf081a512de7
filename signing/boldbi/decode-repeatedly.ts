/** A string that was percent-encoded more often than this is refused. */
const MAX_ENCODINGS = 4
/** Characters that one `String.fromCharCode` call converts. */
const CHUNK_LENGTH = 8_192

const PERCENT = 0x25
const ZERO = 0x30
const U = 0x75
/** This bit turns an ASCII letter into lower case. */
const LOWER_CASE_BIT = 0x20

/**
 * Decodes percent-encoded ASCII characters, including the .NET form `%u0041`, until nothing changes. One pass handles
 * any nesting. Returns `null` for a string that was encoded more than four times.
 *
 * @example
 * decodeRepeatedly('a%252526b')     // 'a&b'
 * decodeRepeatedly('%25u00%34%31')  // 'A'
 * decodeRepeatedly('100% %zz')      // '100% %zz'
 */
export function decodeRepeatedly (text: string): string | null {
  const codes = new Uint16Array(text.length)
  /** How often each character of `codes` was encoded. */
  const depths = new Uint8Array(text.length)
  let end = 0
  for (let at = 0; at < text.length; at++) {
    codes[end] = text.charCodeAt(at)
    depths[end] = 0
    end++
    // The decoded character may complete another escape.
    for (let start = escapeBefore(codes, end); start !== -1; start = escapeBefore(codes, end)) {
      let depth = 0
      for (let part = start; part < end; part++) depth = Math.max(depth, depths[part] ?? 0)
      if (++depth > MAX_ENCODINGS) return null
      codes[start] = digitValue(codes[end - 2]) * 16 + digitValue(codes[end - 1])
      depths[start] = depth
      end = start + 1
    }
  }
  return toStringOf(codes.subarray(0, end))
}

/** Returns the start of the ASCII escape that ends at `end`, or -1 if there is none. */
function escapeBefore (codes: Uint16Array, end: number): number {
  const high = digitValue(codes[end - 2])
  if (high < 0 || high > 7 || digitValue(codes[end - 1]) < 0) return -1
  if (codes[end - 3] === PERCENT) return end - 3
  const isLong = codes[end - 6] === PERCENT && toLowerCase(codes[end - 5]) === U && codes[end - 4] === ZERO &&
    codes[end - 3] === ZERO
  return isLong ? end - 6 : -1
}

/** Returns the value of a hexadecimal digit, or -1 for any other character. */
function digitValue (code: number | undefined): number {
  if (code === undefined) return -1
  if (code >= ZERO && code <= 0x39) return code - ZERO
  const letter = toLowerCase(code)
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function toLowerCase (code: number | undefined): number {
  return (code ?? 0) | LOWER_CASE_BIT
}

function toStringOf (codes: Uint16Array): string {
  let text = ''
  for (let at = 0; at < codes.length; at += CHUNK_LENGTH) {
    text += String.fromCharCode(...codes.subarray(at, at + CHUNK_LENGTH))
  }
  return text
}
