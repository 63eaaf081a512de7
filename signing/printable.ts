const CONTROL = /\p{Cc}/u
const LONE_SURROGATE = /\p{Cs}/u

/**
 * Throws a TypeError that names `field` unless `text` is well-formed Unicode without control characters (C0, DEL, C1)
 * and without any character of `forbidden`. The message names the forbidden character and never contains the string.
 */
export function assertPrintable (field: string, text: unknown, forbidden = ''): asserts text is string {
  if (typeof text !== 'string') throw new TypeError(`${field}: must be a string`)
  if (CONTROL.test(text)) throw new TypeError(`${field}: contains a control character`)
  if (LONE_SURROGATE.test(text)) {
    throw new TypeError(`${field}: contains a lone surrogate, which is not well-formed Unicode`)
  }
  for (const character of forbidden) {
    if (text.includes(character)) throw new TypeError(`${field}: must not contain "${character}"`)
  }
}
