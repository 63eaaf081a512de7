import { isIP } from 'node:net'

import { hasOriginForm, isExactOrigin } from './exact-origin.js'
import type { SourceOrigins } from '../../contracts/token-store/index.js'
import { parseUrl } from '../../signing/parse-url.js'

/** The allowed origins of one source or of all sources together. */
export interface OriginRules {
  /** Whether every well-formed origin except `null` is allowed. */
  readonly any: boolean
  /** Whether the origin `null`, which every sandboxed page has, is allowed. */
  readonly nullOrigin: boolean
  /** Allowed origins, and bases of subdomains as `https://*.example.com`, in the spelling of browsers. */
  readonly rules: { readonly size: number, has(rule: string): boolean, keys(): Iterable<string> }
  /** Whether `rules` contains a base of subdomains. */
  readonly wildcards: boolean
}

const DOMAIN = /^(?:(https?):\/\/)?(\*\.)?(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(:[0-9]{1,5})?$/iu
const EMPTY_LABEL = /^\.|\.\.|\.$/
const MAX_LENGTH = 300
/**
 * The common form of an entry, which needs no normalisation. The last label begins with a letter, so it is not an IP
 * address.
 */
const PLAIN = /^(https?:\/\/)?((?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9]*)$/
const OTHER_SCHEME = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i
const PARTS = /^(https?:\/\/)([a-z0-9_-]+(?:\.[a-z0-9_-]+)+)((?::[0-9]{1,5})?)$/

/**
 * Returns one entry of a source's `domains` in its compared spelling: an origin (`http://localhost:3000`,
 * `capacitor://localhost`), a host, which means https (`shop.example.com`), or `*.example.com` for subdomains at any
 * depth, without the apex. Returns `null` for any other string; `*` and `null` have separate settings.
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
  if (isIP(hostname) !== 0 || hostname.startsWith('[') || (!hostname.includes('.') && hostname !== 'localhost')) {
    return null
  }
  return `${protocol}//*.${origin.slice(protocol.length + 2)}`
}

/** Compiles the rules of several sources. An invalid entry allows nothing. */
export function compileOrigins (sources: readonly SourceOrigins[]): OriginRules {
  const rules = new Set<string>()
  let any = false
  let nullOrigin = false
  for (const { domains, allowAnyOrigin, allowNullOrigin } of sources) {
    any ||= allowAnyOrigin
    // Cache entries of earlier versions lack this property.
    nullOrigin ||= allowNullOrigin === true
    for (const domain of domains) {
      const rule = parseDomain(domain)
      if (rule !== null) rules.add(rule)
    }
  }
  return { any, nullOrigin, rules, wildcards: Array.from(rules).some((rule) => rule.includes('*')) }
}

/**
 * Returns whether the rules allow an `Origin`. Compares whole origins in the spelling of browsers, never substrings.
 */
export function matchesOrigin ({ any, nullOrigin, rules, wildcards }: OriginRules, origin: string): boolean {
  // The set also contains rules for subdomains, which are not origins.
  if (rules.has(origin)) return !origin.includes('*')
  if (origin === 'null') return nullOrigin
  return (any || wildcards) && hasOriginForm(origin) && (any || isBelow(rules, origin))
}

function isBelow (rules: OriginRules['rules'], origin: string): boolean {
  const [, scheme = '', host = '', port = ''] = PARTS.exec(origin) ?? []
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (rules.has(`${scheme}*${host.slice(dot)}${port}`)) return true
  }
  return false
}
