// The server checks with the same functions. They import nothing of Node.js.
// eslint-disable-next-line no-restricted-imports
import { parseDomain } from '../../../../../lib/cors/domain.js'
// eslint-disable-next-line no-restricted-imports
import { compileOrigins, matchesOrigin } from '../../../../../lib/cors/origin-rules.js'
import type { Reply } from '../../api/paths.ts'

type SourceOrigins = Pick<Reply<'get', 'sources/{id}'>, 'domains' | 'allow_any_origin' | 'allow_null_origin'>

/** What a line of the domains says: which pages it allows, or what is wrong with it. */
export interface DomainLine {
  text: string
  valid: boolean
  /** A sentence for the user. */
  meaning: string
}

/** Returns the lines of a field, without spaces and empty ones. */
export function domainsOf (text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((domain) => domain !== ''))]
}

/** Returns what each line means. */
export function readDomains (text: string): DomainLine[] {
  return domainsOf(text).map((line) => {
    const rule = parseDomain(line)
    return { text: line, valid: rule !== null, meaning: rule === null ? problemOf(line) : meaningOf(rule) }
  })
}

/** Returns the first mistake of a field, for the form; `undefined` for none. */
export function domainMistake (text: string): string | undefined {
  const lines = readDomains(text)
  if (lines.length > 100) return 'A source has at most 100 domains.'
  const wrong = lines.find(({ valid }) => !valid)
  return wrong === undefined ? undefined : `${wrong.text}: ${wrong.meaning}`
}

/**
 * Returns the domain that allows an origin, as a source lists it: `shop.example.com` for `https://shop.example.com`, and
 * the origin itself for any other protocol. `null`: no domain allows it.
 */
export function domainOf (origin: string): string | null {
  if (parseDomain(origin) !== origin) return null
  return origin.startsWith('https://') ? origin.slice('https://'.length) : origin
}

/** Returns whether a source accepts events of pages with an origin. */
export function acceptsOrigin (source: SourceOrigins, origin: string): boolean {
  const { domains, allow_any_origin: allowAnyOrigin, allow_null_origin: allowNullOrigin } = source
  return matchesOrigin(compileOrigins([{ domains, allowAnyOrigin, allowNullOrigin }]), origin)
}

function meaningOf (rule: string): string {
  const [, scheme = '', wildcard, host = ''] = /^([^:]+):\/\/(\*\.)?(.*)$/.exec(rule) ?? []
  if (wildcard !== undefined) {
    return `All subdomains of ${host} by ${scheme}, at any depth. Not ${host} itself, and no other port.`
  }
  if (scheme !== 'https' && scheme !== 'http') return 'An app with exactly this origin.'
  if (/:\d+$/.test(host)) return `Only ${rule}, with this port.`
  return scheme === 'https' ? `Only ${rule}. Not http, not other ports, not subdomains.` : `Only ${rule}. Not https.`
}

function problemOf (line: string): string {
  if (line === '*') return 'Not a domain. After the source is created, its domains can be opened to any origin.'
  if (line === 'null') return 'Not a domain. The origin of sandboxed frames is a setting below the domains.'
  if (/^\*\.[^.]+$/.test(line)) return 'A wildcard needs a domain with a dot, such as *.example.com.'
  const origin = originIn(line)
  return origin === null
    ? 'Not a domain. Write a host such as shop.example.com, or an origin such as http://localhost:3000.'
    : `A domain has no path. Write ${origin}.`
}

/** The origin of a pasted address. */
function originIn (line: string): string | null {
  const [, origin] = /^((?:https?:\/\/)?[^/?#\s]+)[/?#]/i.exec(line) ?? []
  return origin !== undefined && parseDomain(origin) !== null ? origin : null
}
