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
const EXPOSED_HEADERS = 'retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset'
const MAX_AGE = '600'

// What a store hands out is frozen and shared by many requests: compiled once, not per request.
const compiled = new WeakMap<object, OriginRules>()

/** Of each store. */
const indexes = new WeakMap<Sources, OriginIndex>()

/** Whether a page of this origin may send to the source. */
export function allowsOrigin (source: SourceOrigins, origin: string): boolean {
  let rules = compiled.get(source)
  if (rules === undefined) {
    rules = compileOrigins([source])
    if (Object.isFrozen(source)) compiled.set(source, rules)
  }
  return matchesOrigin(rules, origin)
}

/** Whether a page of this origin may send to any enabled source of the store. Rejects as the store does. */
export async function anySourceAllows (sources: Sources, origin: string): Promise<boolean> {
  const list = await sources.origins()
  // A list that may change has to be read each time.
  if (!Object.isFrozen(list)) return matchesOrigin(compileOrigins(list), origin)
  let index = indexes.get(sources)
  if (index === undefined) indexes.set(sources, index = new OriginIndex())
  return index.allows(list, origin)
}

/** Adds `Origin` to `Vary`, so that a cache does not give the response for one page to another page. */
export function varyByOrigin (reply: FastifyReply): void {
  varyBy(reply, 'Origin')
}

/**
 * Lets the page read the response. With credentials for the origin `null` too: the collector asks for them, and the only cookie that these
 * routes read is `SameSite=Lax`, which browsers do not send from a sandboxed page.
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

/** Before it is known which source is meant: lets the page read an error if any enabled source has it. Never throws. */
export async function grantBySomeSource (request: FastifyRequest, reply: FastifyReply, sources: Sources): Promise<void> {
  const { origin } = request.headers
  if (origin === undefined) return
  try {
    if (await anySourceAllows(sources, origin)) grantOrigin(reply, origin)
  } catch (err) {
    request.log.warn({ err }, 'the origins of the sources could not be read')
  }
}

/**
 * Answers the preflights of one path of a scope that has a token store. A preflight carries no key, so it is 204 with the exact origin
 * and each requested header if any enabled source allows the origin, else 403 `ORIGIN_NOT_ALLOWED`.
 */
export function sourcePreflight (scope: FastifyInstance, path: string): void {
  const { sources } = scope.tokenStore

  async function answerPreflight (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
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

  // In a hook: a body, which no preflight has, is not even read.
  scope.options(path, { onRequest: answerPreflight, schema: { hide: true } as object }, function unreachable (_request, reply) {
    return reply.code(204).send()
  })
}
