/**
 * The URL that a string spells, or `null`. Not `URL.canParse`: once compiled by the JIT of Node.js 20, it refuses
 * valid URLs
 * whose characters are all in Latin-1 but not all in ASCII (`https://bücher.example`).
 *
 * @example
 * parseUrl('https://app.example.com/x')?.origin  // 'https://app.example.com'
 * parseUrl('/x')                                 // null
 */
export function parseUrl (text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}
