import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { singleHeader } from '../../lib/http/single-header.js'
import { isPipelineKey } from '../../signing/datafly/pipeline-key.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes the pipeline key from `?writeKey=` as well as from `?wk=`. Default: `false`. */
    writeKeyInQuery?: boolean
  }
}

/**
 * The keys that were read lately, by the header that had them. A source sends the same one with each request, and whoever looks the key
 * up further on finds the very text that it has seen before, which is quicker than an equal one.
 */
const READ = new LRUCache<string, string>({ max: 1_000 })

const BEARER = /^Bearer ([^ ]+)$/i
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i

/**
 * The pipeline key of a request, from `Authorization` (Bearer, or Basic with the key as user name and no password) or
 * `?wk=`; on a route with `writeKeyInQuery` also from `?writeKey=`.
 * `undefined`: there is none; `null`: there is something that is no key, or two that differ.
 */
export function presentedKey (request: FastifyRequest): string | null | undefined {
  const { raw, headers } = request
  const { authorization } = headers
  const inQuery = keyInQuery(request)
  if (authorization === undefined) return inQuery === undefined ? undefined : wellFormed(inQuery)
  if (singleHeader(raw.rawHeaders, 'authorization') === null) return null
  const key = READ.get(authorization) ?? read(authorization)
  return inQuery === undefined || inQuery === key ? key : null
}

/** The value itself if it has the form of a pipeline key, else `null`. */
export function wellFormed (value: unknown): string | null {
  return typeof value === 'string' && isPipelineKey(value) ? value : null
}

/** `null`: two that differ. */
function keyInQuery (request: FastifyRequest): unknown {
  const query = request.query as Record<string, unknown> | null | undefined
  const wk = query?.['wk']
  const writeKey = query?.['writeKey']
  if (writeKey === undefined || request.routeOptions.config.writeKeyInQuery !== true) return wk
  return wk === undefined || wk === writeKey ? writeKey : null
}

function read (authorization: string): string | null {
  const key = wellFormed(keyOf(authorization))
  if (key !== null) READ.set(authorization, key)
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
