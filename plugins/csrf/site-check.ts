import type { FastifyRequest } from 'fastify'

import { hostOrigin } from '../../signing/host-origin.js'

export interface SiteRules {
  /** Origins other than the app's own whose pages may call. */
  origins: ReadonlySet<string>
  /** Whether other origins of the same site may. */
  allowSameSite: boolean
}

/**
 * Why a request can't come from a page that may send it, for the log; `null`: it may, as far as its headers tell. Browsers set `Sec-Fetch-Site`
 * themselves, no page can; where it is missing (an older browser, or plain http) the `Origin` counts, and where that is missing too, as in a GET,
 * only the token does. The `Referer` is not asked.
 */
export function foreignReason (request: FastifyRequest, { origins, allowSameSite }: SiteRules): string | null {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && origins.has(origin)) return null
  switch (site) {
    case 'same-origin':
    case 'none': return null
    case 'same-site': return allowSameSite ? null : 'the page is of another origin of the same site'
    case undefined: return origin === undefined || isOwn(origin, request) ? null : 'the page is of another origin'
    default: return 'the page is of another site'
  }
}

/** A proxy in front may have ended TLS and not be trusted to say so, so that an https page of the same host is the app's own. */
function isOwn (origin: string, { protocol, host }: FastifyRequest): boolean {
  return origin === hostOrigin('https', host) || origin === hostOrigin(protocol, host)
}
