import { domainToASCII } from 'node:url'

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+(?!\\d+$)${LABEL}$`)

/**
 * Returns a domain in lower case and punycode; `null` for an address, a single label, or anything but a domain.
 *
 * @example
 * domainNameOf('Bücher.Example')  // 'xn--bcher-kva.example'
 * domainNameOf('localhost')       // null
 */
export function domainNameOf (text: unknown): string | null {
  // `domainToASCII` reads the host of anything that a URL may contain.
  if (typeof text !== 'string' || text.length > 253 || /[/\\?#@:%\s]/.test(text)) return null
  const name = domainToASCII(text)
  return name.length <= 253 && DOMAIN.test(name) ? name : null
}

const EMAIL = /^[^\s@\p{Cc}\p{Cs}]{1,64}@([^\s@]{1,253})$/u
/** A dotted I and the Kelvin sign: in lower case they become ASCII letters, and with them the email of another user. */
const LOOK_ALIKE = /[\u0130\u212A]/

/**
 * Returns an email in lower case with its domain; `null` for anything but one address with an ASCII domain, because
 * providers and mail servers do not agree on the meaning of others.
 */
export function emailOf (text: unknown): { email: string, domain: string } | null {
  if (typeof text !== 'string' || text.length > 254 || LOOK_ALIKE.test(text)) return null
  const domain = EMAIL.exec(text)?.[1]?.toLowerCase()
  return domain === undefined || domainNameOf(domain) !== domain ? null : { email: text.toLowerCase(), domain }
}
