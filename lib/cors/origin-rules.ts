import { parseDomain } from './domain.js'
import { hasOriginForm } from './exact-origin.js'
import type { SourceOrigins } from '../../contracts/token-store/source-origins.js'

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

const PARTS = /^(https?:\/\/)([a-z0-9_-]+(?:\.[a-z0-9_-]+)+)((?::[0-9]{1,5})?)$/

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
