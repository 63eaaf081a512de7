import { INVALID_REQUEST } from '../errors.js'

const ESCAPE = /%([0-9a-f]{2})/gi
/** A surrogate in the three bytes that UTF-8 would have for it, as characters. */
const SURROGATE = /\xed([\xa0-\xbf])([\x80-\xbf])/
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Returns the values of query parameters exactly as they were sent, by name. Fastify keeps a value undecoded that is
 * not valid UTF-8; here a lone surrogate, which JSON may contain, has the three bytes that UTF-8 would have for it
 * (`%ED%A0%80` is U+D800). Throws `INVALID_REQUEST` for any other value that is not UTF-8.
 *
 * @example
 * exactQuery('/events?user_id=%ED%A0%80', ['user_id']) // Map { 'user_id' => ['\ud800'] }
 */
export function exactQuery (url: string, names: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const start = url.indexOf('?')
  if (start === -1) return found
  for (const pair of url.slice(start + 1).split('&')) {
    const equals = pair.indexOf('=')
    if (equals === -1) continue
    const name = decode(pair.slice(0, equals), '')
    if (!names.includes(name)) continue
    const values = found.get(name) ?? []
    values.push(decode(pair.slice(equals + 1), name))
    found.set(name, values)
  }
  return found
}

function decode (encoded: string, name: string): string {
  const bytes = encoded.replaceAll('+', ' ').replace(ESCAPE, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)))
  try {
    // The separators are captured: text, two bytes of a surrogate, text, …
    const parts = bytes.split(SURROGATE)
    let text = ''
    for (let at = 0; at < parts.length; at += 3) {
      text += decoder.decode(Buffer.from(parts[at] ?? '', 'latin1'))
      const [high, low] = [parts[at + 1]?.charCodeAt(0), parts[at + 2]?.charCodeAt(0)]
      if (high === undefined || low === undefined) break
      text += String.fromCharCode(0xd000 | (high & 0x3f) << 6 | (low & 0x3f))
    }
    return text
  } catch (cause) {
    throw new INVALID_REQUEST({ details: [{ path: `/${name}`, message: 'must be UTF-8, percent-encoded' }], cause })
  }
}
