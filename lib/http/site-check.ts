import type { FastifyRequest } from 'fastify'

import { hostOrigin } from '../../signing/host-origin.js'

export interface SiteRules {
  /** Other origins whose pages may call. */
  origins: ReadonlySet<string>
  /** Whether pages of other origins of the same site may call. */
  allowSameSite: boolean
}

/**
 * Returns why a request does not come from a page of an allowed origin, for the log, or `null`. Browsers set
 * `Sec-Fetch-Site`, and pages cannot change it. Without it (older browsers, plain http) the `Origin` is checked;
 * without both, as in a GET, only the token is. The `Referer` is ignored.
 */
export function foreignReason (request: FastifyRequest, { origins, allowSameSite }: SiteRules): string | null {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && origins.has(origin)) return null
  switch (site) {
    case 'same-origin':
    case 'none': return null
    case 'same-site': return allowSameSite ? null : 'the page has another origin of the same site'
    case undefined: return origin === undefined || isSameOrigin(origin, request) ? null : 'the page has another origin'
    default: return 'the page belongs to another site'
  }
}

/** Also accepts https pages of the same host, because a proxy that the app does not trust may have terminated TLS. */
function isSameOrigin (origin: string, { protocol, host }: FastifyRequest): boolean {
  return origin === hostOrigin('https', host) || origin === hostOrigin(protocol, host)
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Returns whether a request may change something: its method is not GET, HEAD, OPTIONS or TRACE. */
export function isWrite ({ method }: FastifyRequest): boolean {
  return !READS.has(method)
}
