import type { FastifyReply, FastifyRequest } from 'fastify'

import { FORBIDDEN, INVALID_REQUEST, PAYLOAD_TOO_LARGE } from '../../../lib/errors.js'

/** What URL parsers rewrite, drop or read as something else, and bytes that no URL has. */
const NOT_IN_TARGET = /[^\x21-\x7e]|#/
const NOT_IN_PATH = /["<>\\^`{}]|\/\//
/** Dot, slash and backslash once more, in disguise; a percent sign, which may hide any of them; control characters. */
const DISGUISED = /%(?:2[ef5]|5c|[01][\da-f]|7f)/i
/** Servers drop what comes behind a semicolon. */
const DOT_SEGMENT = /^\.{1,2}(?:;|$)/

/** How many segments a route's prefix has. */
export function depthOf (prefix: string): number {
  return prefix.split('/').filter((segment) => segment !== '').length
}

/**
 * The path of a request target below a prefix of so many segments, as it came. Throws `INVALID_REQUEST` for a target that is not a plain path and
 * query, so that no two readers of it can differ about where it leads.
 */
export function pathBelow (depth: number, target: string): string {
  const at = target.indexOf('?')
  const path = at === -1 ? target : target.slice(0, at)
  const segments = path.split('/')
  // An absolute-form target begins with a scheme.
  if (!path.startsWith('/') || NOT_IN_TARGET.test(target) || NOT_IN_PATH.test(path) || DISGUISED.test(path) ||
    segments.some((segment) => DOT_SEGMENT.test(segment)) || !isDecodable(path)) {
    throw new INVALID_REQUEST({ message: 'The path is not a plain one', reason: 'a target that could lead elsewhere' })
  }
  return `/${segments.slice(depth + 1).join('/')}`
}

/** The query of a request target, as it came, without its question mark; empty if there is none. */
export function queryOf (target: string): string {
  const at = target.indexOf('?')
  return at === -1 ? '' : target.slice(at + 1)
}

/** A query without its `ref`, which is a user reference and for this server alone. The rest is as it came. */
export function withoutReference (query: string): string {
  return query.split('&').filter((pair) => nameOf(pair) !== 'ref').join('&')
}

function nameOf (pair: string): string {
  const [name = ''] = pair.split('=', 1)
  return isDecodable(name) ? decodeURIComponent(name) : name
}

/** Not so: `%zz`, and bytes that are no UTF-8, such as a dot of two bytes. */
function isDecodable (path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** Throws `FORBIDDEN` for a path, as `pathBelow` gives it, where guest tokens are made: that is for this server alone. However it is spelt. */
export function demandNoMint (path: string): void {
  const [plain = ''] = path.split('?')
  const segments = decodeURIComponent(plain).toLowerCase().split('/')
  if (segments.some((segment) => /^guest-token(?:;|$)/.test(segment))) throw new FORBIDDEN({ reason: 'guest tokens are not for a page to ask for' })
}

/**
 * Refuses what can't be forwarded: an upgrade, a body where there is to be none (`INVALID_REQUEST`), and one that is announced as too large
 * (`PAYLOAD_TOO_LARGE`), for which the connection is closed rather than read to its end.
 */
export function demandForwardable ({ method, headers }: FastifyRequest, reply: FastifyReply, bodyLimit: number): void {
  if (headers.upgrade !== undefined) throw new INVALID_REQUEST({ message: 'Upgrades are not supported' })
  const length = Number(headers['content-length'] ?? 0)
  if ((method === 'GET' || method === 'HEAD') && (length > 0 || headers['transfer-encoding'] !== undefined)) {
    throw new INVALID_REQUEST({ message: 'This method has no body' })
  }
  if (length <= bodyLimit) return
  reply.header('connection', 'close')
  throw new PAYLOAD_TOO_LARGE()
}
