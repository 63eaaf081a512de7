import { isExactOrigin } from './exact-origin.js'
import { parseUrl } from '../../signing/parse-url.js'

const DOMAIN = /^(?:(https?):\/\/)?(\*\.)?(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(:[0-9]{1,5})?$/iu
const EMPTY_LABEL = /^\.|\.\.|\.$/
const MAX_LENGTH = 300
/**
 * The common form of an entry, which needs no normalisation. The last label begins with a letter, so it is not an IP
 * address.
 */
const PLAIN = /^(https?:\/\/)?((?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9]*)$/
const OTHER_SCHEME = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i
/** An address as `URL` spells it: IPv4 in four decimal numbers, IPv6 in brackets. */
const ADDRESS = /^(?:\d+(?:\.\d+){3}|\[.*)$/

/**
 * Returns one entry of a source's `domains` in its compared spelling: an origin (`http://localhost:3000`,
 * `capacitor://localhost`), a host, which means https (`shop.example.com`), or `*.example.com` for subdomains at any
 * depth, without the apex. Returns `null` for any other string; `*` and `null` have separate settings. The console
 * calls it too, so this module imports nothing of Node.js.
 * @example
 * parseDomain('shop.example.com')  // 'https://shop.example.com'
 */
export function parseDomain (text: string): string | null {
  const [, http = 'https://', plain] = (text.length <= MAX_LENGTH && !text.includes('xn--') && PLAIN.exec(text)) || []
  if (plain !== undefined) return http + plain
  const [scheme = ''] = OTHER_SCHEME.exec(text) ?? []
  if (scheme !== '') {
    const origin = scheme.toLowerCase() + text.slice(scheme.length)
    return isExactOrigin(origin) ? origin : null
  }
  return parseWebDomain(text)
}

function parseWebDomain (text: string): string | null {
  const [, scheme = 'https', wildcard = '', host = '', port = ''] = (text.length <= MAX_LENGTH && DOMAIN.exec(text)) ||
    []
  const url = `${scheme.toLowerCase()}://${host}${port}`
  if (host === '' || host.toLowerCase() === 'null' || EMPTY_LABEL.test(host)) return null
  const parsed = parseUrl(url)
  if (parsed === null) return null
  const { origin, hostname, protocol } = parsed
  if (wildcard === '') return origin
  // An address has no subdomains, and no one owner controls all subdomains of a top-level domain.
  if (ADDRESS.test(hostname) || (!hostname.includes('.') && hostname !== 'localhost')) return null
  return `${protocol}//*.${origin.slice(protocol.length + 2)}`
}
