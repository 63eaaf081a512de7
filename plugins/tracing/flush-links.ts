import type { Link } from '@opentelemetry/api'

import { RequestTrace } from './request-trace.js'
import type { ActiveTrace } from './request-trace.js'
import { isSampled } from './trace-context.js'

/** The default limit of OpenTelemetry SDKs for the links of a span. */
export const MAX_LINKS = 128

/**
 * Returns the links from a flush to the requests whose events it contains, at most 128. Returns `null` without a
 * sampled request of this registration.
 */
export function flushLinks (origins: readonly unknown[], active: ActiveTrace): Link[] | null {
  const links = new Map<RequestTrace, Link>()
  for (const origin of origins) {
    if (!(origin instanceof RequestTrace) || origin.owner !== active) continue
    const context = origin.span.spanContext()
    if (isSampled(context)) links.set(origin, { context })
    if (links.size === MAX_LINKS) break
  }
  return links.size === 0 ? null : [...links.values()]
}
