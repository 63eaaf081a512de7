import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../errors.js'
import { isPreflight } from '../guard/preflight.js'
import { OriginIndex } from './origin-index.js'
import { compileOrigins, matchesOrigin } from './origin-rules.js'
import type { OriginRules } from './origin-rules.js'
import { refuse, refusedOrigin, toPublicError } from '../refuse.js'
import { allowRequestedHeaders, varyBy } from './requested-headers.js'
import type { SourceOrigins, Sources } from '../../contracts/token-store/index.js'

const METHODS = 'GET, HEAD, POST'
const EXPOSED_HEADERS = 'retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-request-id'
const MAX_AGE = '600'

// A store returns frozen objects that many requests share, so each is compiled once.
const compiled = new WeakMap<object, OriginRules>()

/** One index per store. */
const indexes = new WeakMap<Sources, OriginIndex>()

/** Returns whether the source allows an origin. */
export function allowsOrigin (source: SourceOrigins, origin: string): boolean {
  let rules = compiled.get(source)
  if (rules === undefined) {
    rules = compileOrigins([source])
    if (Object.isFrozen(source)) compiled.set(source, rules)
  }
  return matchesOrigin(rules, origin)
}

/** Returns whether any enabled source of the store allows an origin. Rejects if the store does. */
export async function anySourceAllows (sources: Sources, origin: string): Promise<boolean> {
  const list = await sources.origins()
  // A list that is not frozen may change, so it is compiled each time.
  if (!Object.isFrozen(list)) return matchesOrigin(compileOrigins(list), origin)
  let index = indexes.get(sources)
  if (index === undefined) indexes.set(sources, index = new OriginIndex())
  return index.allows(list, origin)
}

/** Adds `Origin` to `Vary`, so that a cache does not return the response for one origin to another one. */
export function varyByOrigin (reply: FastifyReply): void {
  varyBy(reply, 'Origin')
}

/**
 * Lets a page read the response. Allows credentials even for the origin `null`: the collector requests them, and the
 * only cookie that these routes read is `SameSite=Lax`, which browsers do not send from a sandboxed page.
 */
export function grantOrigin (reply: FastifyReply, origin: string): void {
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-allow-credentials', 'true')
  reply.header('access-control-expose-headers', EXPOSED_HEADERS)
}

export function withdrawOrigin (reply: FastifyReply): void {
  reply.removeHeader('access-control-allow-origin')
  reply.removeHeader('access-control-allow-credentials')
  reply.removeHeader('access-control-expose-headers')
}

/**
 * Lets the page read an early error if any enabled source allows its origin. Used before the source is known; never
 * throws.
 */
export async function grantBySomeSource (
  request: FastifyRequest,
  reply: FastifyReply,
  sources: Sources
): Promise<void> {
  const { origin } = request.headers
  if (origin === undefined) return
  try {
    if (await anySourceAllows(sources, origin)) grantOrigin(reply, origin)
  } catch (err) {
    request.log.warn({ err }, 'the origins of the sources could not be read')
  }
}

/**
 * Answers the preflights of one path in a scope with a token store. A preflight contains no key, so the response is 204
 * with the exact origin and the requested headers if any enabled source allows the origin, otherwise 403
 * `ORIGIN_NOT_ALLOWED`.
 */
export function sourcePreflight (scope: FastifyInstance, path: string): void {
  const { sources } = scope.tokenStore

  async function handlePreflight (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    varyByOrigin(reply)
    if (!isPreflight(request)) return refuse(reply, new INVALID_REQUEST({ message: 'This is not a CORS preflight' }))
    const origin = request.headers.origin ?? ''
    try {
      if (!await anySourceAllows(sources, origin)) return refuse(reply, refusedOrigin(origin))
    } catch (error) {
      return refuse(reply, toPublicError(error))
    }
    grantOrigin(reply, origin)
    reply.header('access-control-allow-methods', METHODS)
    allowRequestedHeaders(request, reply)
    reply.header('access-control-max-age', MAX_AGE)
    return reply.code(204).send()
  }

  // Answered in a hook, so that a body is never read.
  scope.options(
    path,
    { onRequest: handlePreflight, schema: { hide: true } as object },
    function unreachable (_request, reply) {
      return reply.code(204).send()
    }
  )
}
