import type { FastifyReply, FastifyRequest } from 'fastify'

import { FORBIDDEN, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'

/** Characters that URL parsers rewrite, drop or interpret differently, and bytes that are not allowed in a URL. */
const NOT_IN_TARGET = /[^\x21-\x7e]|#/
const NOT_IN_PATH = /["<>\\^`{}]|\/\//
/** Percent-encoded dot, slash, backslash, percent sign and control characters. */
const ENCODED = /%(?:2[ef5]|5c|[01][\da-f]|7f)/i
/** Dot segments. Some servers ignore the part after a semicolon. */
const DOT_SEGMENT = /^\.{1,2}(?:;|$)/

/** Returns the number of segments in a route's prefix. */
export function depthOf (prefix: string): number {
  return prefix.split('/').filter((segment) => segment !== '').length
}

/**
 * Returns the path of a request target below a prefix of `depth` segments, unchanged. Throws `INVALID_REQUEST` for a
 * target that two parsers could read differently: only a plain path and query are accepted.
 */
export function pathBelow (depth: number, target: string): string {
  const at = target.indexOf('?')
  const path = at === -1 ? target : target.slice(0, at)
  const segments = path.split('/')
  // An absolute-form target begins with a scheme.
  if (
    !path.startsWith('/') || NOT_IN_TARGET.test(target) || NOT_IN_PATH.test(path) || ENCODED.test(path) ||
    segments.some((segment) => DOT_SEGMENT.test(segment)) || !isDecodable(path)
  ) {
    throw new INVALID_REQUEST({ message: 'The path is not allowed', reason: 'the request target is ambiguous' })
  }
  return `/${segments.slice(depth + 1).join('/')}`
}

/** Returns the query of a request target, unchanged, without the question mark; an empty string without a query. */
export function queryOf (target: string): string {
  const at = target.indexOf('?')
  return at === -1 ? '' : target.slice(at + 1)
}

/** Removes `ref` from a query: it contains a user reference for this server only. The rest is unchanged. */
export function withoutReference (query: string): string {
  return query.split('&').filter((pair) => nameOf(pair) !== 'ref').join('&')
}

function nameOf (pair: string): string {
  const [name = ''] = pair.split('=', 1)
  return isDecodable(name) ? decodeURIComponent(name) : name
}

/** Returns `false` for `%zz` and for bytes that are not valid UTF-8, such as an overlong dot. */
function isDecodable (path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/**
 * Throws `FORBIDDEN` for a path, as returned by `pathBelow`, that creates guest tokens, in any spelling. Pages must not
 * create them.
 */
export function refuseMinting (path: string): void {
  const [plain = ''] = path.split('?')
  const segments = decodeURIComponent(plain).toLowerCase().split('/')
  if (segments.some((segment) => /^guest-token(?:;|$)/.test(segment))) {
    throw new FORBIDDEN({ reason: 'pages must not create guest tokens' })
  }
}

/**
 * Refuses requests that cannot be forwarded. Throws `INVALID_REQUEST` for an upgrade and for a body of a GET or HEAD,
 * and `PAYLOAD_TOO_LARGE` for a body whose Content-Length exceeds `bodyLimit`; then the connection is closed.
 */
export function assertForwardable ({ method, headers }: FastifyRequest, reply: FastifyReply, bodyLimit: number): void {
  if (headers.upgrade !== undefined) throw new INVALID_REQUEST({ message: 'Upgrades are not supported' })
  const length = Number(headers['content-length'] ?? 0)
  if ((method === 'GET' || method === 'HEAD') && (length > 0 || headers['transfer-encoding'] !== undefined)) {
    throw new INVALID_REQUEST({ message: 'This method has no body' })
  }
  if (length <= bodyLimit) return
  reply.header('connection', 'close')
  throw new PAYLOAD_TOO_LARGE({ reason: `the body has more than ${bodyLimit} bytes` })
}
