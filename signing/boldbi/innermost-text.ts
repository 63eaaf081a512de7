/** A text that was encoded more often than this is no name of anything. */
const MOST_ENCODINGS = 4
/** Characters that are made into a string at once. */
const CHUNK = 8_192

const PERCENT = 0x25
const ZERO = 0x30
const U = 0x75
/** Turns an ASCII letter into its lower case. */
const LOWER = 0x20

/**
 * The text behind all percent-encodings of ASCII characters, as the most lenient reader takes them, .NET's own spelling `%u0041`
 * included: decoded until nothing changes, in one pass, whatever the nesting. `null` for a text that was encoded more than four times.
 *
 * @example
 * innermostText('a%252526b')     // 'a&b'
 * innermostText('%25u00%34%31')  // 'A'
 * innermostText('100% %zz')      // '100% %zz'
 */
export function innermostText (text: string): string | null {
  const codes = new Uint16Array(text.length)
  /** How often each character was encoded. */
  const depths = new Uint8Array(text.length)
  let end = 0
  for (let at = 0; at < text.length; at++) {
    codes[end] = text.charCodeAt(at)
    depths[end] = 0
    end++
    // What an escape stands for may be the last character of another one.
    for (let start = escapeBefore(codes, end); start !== -1; start = escapeBefore(codes, end)) {
      let depth = 0
      for (let part = start; part < end; part++) depth = Math.max(depth, depths[part] ?? 0)
      if (++depth > MOST_ENCODINGS) return null
      codes[start] = digit(codes[end - 2]) * 16 + digit(codes[end - 1])
      depths[start] = depth
      end = start + 1
    }
  }
  return stringOf(codes.subarray(0, end))
}

/** Where the escape of an ASCII character begins that ends at `end`, -1 if there is none. */
function escapeBefore (codes: Uint16Array, end: number): number {
  const high = digit(codes[end - 2])
  if (high < 0 || high > 7 || digit(codes[end - 1]) < 0) return -1
  if (codes[end - 3] === PERCENT) return end - 3
  const isLong = codes[end - 6] === PERCENT && lower(codes[end - 5]) === U && codes[end - 4] === ZERO && codes[end - 3] === ZERO
  return isLong ? end - 6 : -1
}

/** The value of a hexadecimal digit, -1 if it is none. */
function digit (code: number | undefined): number {
  if (code === undefined) return -1
  if (code >= ZERO && code <= 0x39) return code - ZERO
  const letter = lower(code)
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function lower (code: number | undefined): number {
  return (code ?? 0) | LOWER
}

function stringOf (codes: Uint16Array): string {
  let text = ''
  for (let at = 0; at < codes.length; at += CHUNK) text += String.fromCharCode(...codes.subarray(at, at + CHUNK))
  return text
}
