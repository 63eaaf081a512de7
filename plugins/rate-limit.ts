import rateLimitPlugin from '@fastify/rate-limit'
import type { RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'

import { RATE_LIMITED } from './errors.js'
import { WindowStore } from './rate-limit-window.js'

/** The options of `@fastify/rate-limit`, for one scope; `false` turns the limit off. */
export type RateLimitOptions = Omit<RateLimitPluginOptions, 'global' | 'errorResponseBuilder'> | false

const NAME_SPACE = 'gatehouse-'

/**
 * Limits every request of the scope, 429 `RATE_LIMITED` with `Retry-After` and the `RateLimit-*` headers.
 *
 * `@fastify/rate-limit` attaches itself to each route, which puts it behind the hooks of the scope: a guard that refuses would
 * leave its refusals unlimited. So its handler is taken from it and added as a hook of the scope, in the order of the calls;
 * a host that registers the plugin itself is not touched and does not touch us.
 */
export async function limitRate (scope: FastifyInstance, options: RateLimitOptions): Promise<void> {
  if (options === false) return
  let handler: ((settings: object) => onRequestAsyncHookHandler) | undefined
  const facade: FastifyInstance = Object.create(scope, {
    hasDecorator: { value: () => false },
    decorate: { value: (name: string, value: typeof handler) => { if (name === 'rateLimit') handler = value } },
    addHook: { value: () => facade }
  })
  const settings: RateLimitPluginOptions = {
    enableDraftSpec: true,
    ...options,
    // One Redis may count for several scopes, and for the host itself.
    nameSpace: `${options.nameSpace ?? NAME_SPACE}${scope.prefix}-`,
    errorResponseBuilder: (_request, { ttl }) => new RATE_LIMITED({ retryAfter: ttl / 1000 })
  }
  if (options.redis == null && options.continueExceeding !== true && options.exponentialBackoff !== true) settings.store ??= WindowStore
  await (rateLimitPlugin as unknown as (app: FastifyInstance, settings: RateLimitPluginOptions) => Promise<void>)(facade, settings)
  const check = handler?.({})
  if (check === undefined) throw new Error('@fastify/rate-limit did not offer its handler; this version is not supported')
  scope.addHook((options.hook ?? 'onRequest') as 'onRequest', check)
}

/** The options under a name of their own, which keeps the counts of several limits of one scope apart in Redis. */
export function named (options: RateLimitOptions, name: string): RateLimitOptions {
  return options === false ? false : { ...options, nameSpace: `${options.nameSpace ?? NAME_SPACE}${name}-` }
}
