import type { FastifyInstance } from 'fastify'

import { useEnvelope } from './envelope.js'
import { maskedRequestLog } from './masked-request-log.js'
import { keepOwnReplies } from './own-replies.js'
import { useOwnCompilers } from './own-compilers.js'
import { limitRate } from '../limits/rate-limit.js'
import type { RateLimitOptions } from '../limits/rate-limit.js'
import { keepHostCorsOut, siteCors } from '../cors/site-cors.js'
import type { SiteCorsOptions } from '../cors/site-cors.js'

export interface RouteScopeOptions {
  /** Where the routes are mounted. Default: no prefix. */
  prefix?: string | undefined
  /** The limit of each client address. */
  rateLimit?: RateLimitOptions | undefined
  /** Which sites' pages may call. Default: none, no CORS at all. */
  cors?: SiteCorsOptions | undefined
}

/**
 * The inner scope of a route plugin: its parsers, hooks and error handler stay in it. `fp` alone would leak them to the host and
 * ignore `prefix`. CORS comes first, so that a page can read what the rate limit and the guards answer. The log shows URLs without the
 * values of their queries, which may be user references.
 */
export async function routeScope (
  app: FastifyInstance, { prefix, rateLimit, cors }: RouteScopeOptions, define: (scope: FastifyInstance) => Promise<void>
): Promise<void> {
  await app.register(async (scope) => {
    useEnvelope(scope)
    useOwnCompilers(scope)
    keepOwnReplies(scope)
    if (cors === undefined) keepHostCorsOut(scope, false)
    else await siteCors(scope, cors)
    if (rateLimit !== undefined) await limitRate(scope, rateLimit)
    await define(scope)
  }, { ...prefix === undefined ? {} : { prefix }, ...maskedRequestLog(app) })
}
