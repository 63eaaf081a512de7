/** Control and format characters, lone surrogates and separators of every kind. */
const UNPRINTABLE = /[\p{C}\p{Z}]+/gu

/**
 * Returns a string of a caller as a log line may show it: one line of at most `most` characters.
 *
 * @example
 * printableLine('https://evil.test\n', 200) // 'https://evil.test'
 */
export function printableLine (text: string, maxLength: number): string {
  return Array.from(text.slice(0, 2 * maxLength).replace(UNPRINTABLE, ' ').trim()).slice(0, maxLength).join('')
}
