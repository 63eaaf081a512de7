import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../../lib/at-most.js'
import { singleHeader } from '../../lib/http/single-header.js'
import { isPipelineKey } from '../../signing/datafly/pipeline-key.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reads the pipeline key from `?writeKey=` in addition to `?wk=`. Default: `false`. */
    writeKeyInQuery?: boolean
  }
}

/**
 * Cache of parsed `Authorization` headers. A source sends the same header with each request, and later look-ups are
 * faster with the identical string object than with an equal string.
 */
const PARSED = new LRUCache<string, string>(atMost(1_000))

const BEARER = /^Bearer ([^ ]+)$/i
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i

/**
 * Returns the pipeline key of a request, from `Authorization` (Bearer, or Basic with the key as user name and an empty
 * password) or `?wk=`; on a route with `writeKeyInQuery` also from `?writeKey=`. Returns `undefined` without a key, and
 * `null` for a malformed key or two different keys.
 */
export function presentedKey (request: FastifyRequest): string | null | undefined {
  const { raw, headers } = request
  const { authorization } = headers
  const inQuery = keyInQuery(request)
  if (authorization === undefined) return inQuery === undefined ? undefined : wellFormed(inQuery)
  if (singleHeader(raw.rawHeaders, 'authorization') === null) return null
  const key = PARSED.get(authorization) ?? parseAuthorization(authorization)
  return inQuery === undefined || inQuery === key ? key : null
}

/** Returns the value if it has the form of a pipeline key, else `null`. */
export function wellFormed (value: unknown): string | null {
  return typeof value === 'string' && isPipelineKey(value) ? value : null
}

/** Returns the key in the query; `null` for two different keys. */
function keyInQuery (request: FastifyRequest): unknown {
  const query = request.query as Record<string, unknown> | null | undefined
  const wk = query?.['wk']
  const writeKey = query?.['writeKey']
  if (writeKey === undefined || request.routeOptions.config.writeKeyInQuery !== true) return wk
  return wk === undefined || wk === writeKey ? writeKey : null
}

function parseAuthorization (authorization: string): string | null {
  const key = wellFormed(keyOf(authorization))
  if (key !== null) PARSED.set(authorization, key)
  return key
}

function keyOf (authorization: string): string | null {
  const bearer = BEARER.exec(authorization)?.[1]
  if (bearer !== undefined) return bearer
  const basic = BASIC.exec(authorization)?.[1]
  if (basic === undefined) return null
  const credentials = Buffer.from(basic, 'base64').toString('latin1')
  return credentials.endsWith(':') ? credentials.slice(0, -1) : null
}

/** Returns whether the headers announce a body. */
export function hasBody (headers: FastifyRequest['headers']): boolean {
  return headers['content-type'] !== undefined || headers['transfer-encoding'] !== undefined ||
    headers['content-length'] !== undefined
}
