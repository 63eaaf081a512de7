import type { FastifyInstance } from 'fastify'

import { useEnvelope } from './envelope.js'
import { maskedRequestLog } from './masked-request-log.js'
import { protectReplies } from './protected-replies.js'
import { useSuiteCompilers } from './suite-compilers.js'
import { limitRate } from '../limits/rate-limit.js'
import type { RateLimitOptions } from '../limits/rate-limit.js'
import { ignoreHostCors, siteCors } from '../cors/site-cors.js'
import type { SiteCorsOptions } from '../cors/site-cors.js'

export interface RouteScopeOptions {
  /** URL prefix of the routes. Default: none. */
  prefix?: string | undefined
  /** Rate limit per client address. */
  rateLimit?: RateLimitOptions | undefined
  /** Origins whose pages may call. Default: none, so no CORS. */
  cors?: SiteCorsOptions | undefined
}

/**
 * Creates the inner scope of a route plugin, which contains its parsers, hooks and error handler; `fp` alone would leak
 * them to the host and ignore `prefix`. CORS comes first, so that pages can read errors of the rate limit and the
 * guards. Logged URLs have no query values, which may be user references.
 */
export async function routeScope (
  app: FastifyInstance,
  { prefix, rateLimit, cors }: RouteScopeOptions,
  define: (scope: FastifyInstance) => Promise<void>
): Promise<void> {
  await app.register(async (scope) => {
    useEnvelope(scope)
    useSuiteCompilers(scope)
    protectReplies(scope)
    if (cors === undefined) ignoreHostCors(scope, false)
    else await siteCors(scope, cors)
    if (rateLimit !== undefined) await limitRate(scope, rateLimit)
    await define(scope)
  }, { ...prefix === undefined ? {} : { prefix }, ...maskedRequestLog(app) })
}
