const CONTROL = /\p{Cc}/u
const LONE_SURROGATE = /\p{Cs}/u

/**
 * Throws a TypeError that names `field` unless `text` is well-formed Unicode without control characters (C0, DEL, C1)
 * and without any character of `forbidden`. The message names the forbidden character and never contains the string.
 */
export function assertPrintable (field: string, value: unknown, forbidden = ''): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${field}: must be a string`)
  if (CONTROL.test(value)) throw new TypeError(`${field}: contains a control character`)
  if (LONE_SURROGATE.test(value)) {
    throw new TypeError(`${field}: contains a lone surrogate, which is not well-formed Unicode`)
  }
  for (const character of forbidden) {
    if (value.includes(character)) throw new TypeError(`${field}: must not contain "${character}"`)
  }
}
