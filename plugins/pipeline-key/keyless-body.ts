import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify'

import { INVALID_PIPELINE_KEY, PAYLOAD_TOO_LARGE } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { wellFormed } from './presented-key.js'
import { BodyReplay, collectBody, bufferHead } from '../../lib/http/raw-body.js'
import { routeOf } from '../../lib/http/route-of.js'
import { toPublicError } from '../../lib/refuse.js'

export interface KeylessRules {
  /** Maximum bytes that are read before the key is known. */
  limit: number
  /** Whether the parsers of the scope read bodies with `collectBody`. */
  buffersBody: boolean
  keyInHead: ((head: Buffer, request: FastifyRequest) => unknown) | undefined
}

/**
 * Receives the stream of the body, the key in its first bytes if the body is longer than the limit, or the error of the
 * request.
 */
type Done = (error: GatehouseError | null, key: string | null, payload: RequestPayload) => void

/** Reads the body of a request without a key, up to the limit for bodies without a known key. */
export function readKeyless (
  rules: KeylessRules,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: RequestPayload,
  done: Done
): void {
  const { bodyLimit } = routeOf(request)
  const limit = Math.min(rules.limit, bodyLimit)
  // The parser refuses such a body before it reads it.
  if (Number(request.headers['content-length']) > bodyLimit) return done(null, null, payload)
  if (rules.buffersBody) {
    bufferHead(payload, reply.raw, limit, (head, whole) => {
      if (whole || limit === bodyLimit) return done(null, null, payload)
      const key = keyOf(rules, head, request)
      done(typeof key === 'string' ? null : key, typeof key === 'string' ? key : null, payload)
    })
  } else {
    collectBody(payload, {}, limit, (error, bytes) => {
      if (error instanceof PAYLOAD_TOO_LARGE && limit < bodyLimit) done(noKey(limit), null, payload)
      else done(error, null, new BodyReplay(bytes))
    })
  }
}

function keyOf ({ limit, keyInHead }: KeylessRules, head: Buffer, request: FastifyRequest): string | GatehouseError {
  try {
    return wellFormed(keyInHead?.(head, request)) ?? noKey(limit)
  } catch (thrown) {
    // Fastify does not catch errors in this callback.
    return toPublicError(thrown)
  }
}

function noKey (limit: number): GatehouseError {
  return new INVALID_PIPELINE_KEY({ reason: `no key in the header, the query or the first ${limit} bytes of the body` })
}
