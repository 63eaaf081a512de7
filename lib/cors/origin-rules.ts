import { isIP } from 'node:net'

import { hasOriginForm, isExactOrigin } from './exact-origin.js'
import type { SourceOrigins } from '../../contracts/token-store/index.js'
import { parseUrl } from '../../signing/parse-url.js'

/** The pages that may send: one source's, or all sources' together. */
export interface OriginRules {
  /** Any well-formed origin but `null`. */
  readonly any: boolean
  /** The origin `null`, which every sandboxed page has. */
  readonly nullOrigin: boolean
  /** Origins and, as `https://*.example.com`, the bases of subdomains, each as a browser spells it. */
  readonly rules: { readonly size: number, has (rule: string): boolean, keys (): Iterable<string> }
  /** Whether a base of subdomains is among them. */
  readonly wildcards: boolean
}

const DOMAIN = /^(?:(https?):\/\/)?(\*\.)?(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(:[0-9]{1,5})?$/iu
const EMPTY_LABEL = /^\.|\.\.|\.$/
const MAX_LENGTH = 300
/** What most entries look like: browsers send such a host as it is. The last label begins with a letter, so that it is no address. */
const PLAIN = /^(https?:\/\/)?((?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9]*)$/
const OTHER_SCHEME = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i
const PARTS = /^(https?:\/\/)([a-z0-9_-]+(?:\.[a-z0-9_-]+)+)((?::[0-9]{1,5})?)$/

/**
 * One entry of a source's `domains` in the spelling that is compared: an origin (`http://localhost:3000`, `capacitor://localhost`), a host,
 * which means https (`shop.example.com`), or `*.example.com` for its subdomains at any depth, the apex not included. `null` for anything
 * else: "any origin" and "the origin `null`" are settings of their own.
 *
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
  const [, scheme = 'https', wildcard = '', host = '', port = ''] = (text.length <= MAX_LENGTH && DOMAIN.exec(text)) || []
  const url = `${scheme.toLowerCase()}://${host}${port}`
  if (host === '' || host.toLowerCase() === 'null' || EMPTY_LABEL.test(host)) return null
  const parsed = parseUrl(url)
  if (parsed === null) return null
  const { origin, hostname, protocol } = parsed
  if (wildcard === '') return origin
  // An address has no subdomains, and nobody owns all those of a top-level domain.
  if (isIP(hostname) !== 0 || hostname.startsWith('[') || (!hostname.includes('.') && hostname !== 'localhost')) return null
  return `${protocol}//*.${origin.slice(protocol.length + 2)}`
}

/** The rules of some sources together; an entry that is no domain allows nothing. */
export function compileOrigins (sources: readonly SourceOrigins[]): OriginRules {
  const rules = new Set<string>()
  let any = false
  let nullOrigin = false
  for (const { domains, allowAnyOrigin, allowNullOrigin } of sources) {
    any ||= allowAnyOrigin
    // A cache entry of the version before has no such member.
    nullOrigin ||= allowNullOrigin === true
    for (const domain of domains) {
      const rule = parseDomain(domain)
      if (rule !== null) rules.add(rule)
    }
  }
  return { any, nullOrigin, rules, wildcards: Array.from(rules).some((rule) => rule.includes('*')) }
}

/** Whether a page of this `Origin` may send: compared as a browser spells it, never by substring. */
export function matchesOrigin ({ any, nullOrigin, rules, wildcards }: OriginRules, origin: string): boolean {
  // A rule for subdomains is in the set too, and is no origin.
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
