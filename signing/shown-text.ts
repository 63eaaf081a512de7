/** Control and format characters, lone surrogates and separators of every kind. */
const UNPRINTABLE = /[\p{C}\p{Z}]+/gu

/**
 * Text of a caller as a log line may show it: one line of at most `most` characters.
 *
 * @example
 * shownText('https://evil.test\n', 200) // 'https://evil.test'
 */
export function shownText (text: string, most: number): string {
  return Array.from(text.slice(0, 2 * most).replace(UNPRINTABLE, ' ').trim()).slice(0, most).join('')
}
