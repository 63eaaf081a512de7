import type { FastifyReply, FastifyRequest } from 'fastify'

const ALWAYS = ['authorization', 'content-type']
/** A field name of RFC 9110. `*` alone is a field name too, but browsers read it as "every header". */
const FIELD_NAME = /^(?!\*$)[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/
const MAX_NAMES = 64
const MAX_LENGTH = 4_096

/**
 * Allows the request headers that a preflight names, in addition to `authorization` and `content-type`. Call it only
 * for an allowed origin. Omits names that are not RFC 9110 field names of at most 128 characters, and all names after
 * the 64th or after the first 4 096 characters; the browser then blocks the page's request.
 *
 * @example
 * if (origins.has(request.headers.origin)) allowRequestedHeaders(request, reply)
 */
export function allowRequestedHeaders ({ headers }: FastifyRequest, reply: FastifyReply): void {
  const requested = headers['access-control-request-headers'] ?? ''
  const names = requested === '' ? ALWAYS : withRequested(requested)
  reply.header('access-control-allow-headers', names.join(', '))
  varyBy(reply, 'Access-Control-Request-Headers')
}

function withRequested (requested: string): string[] {
  const names = new Set(ALWAYS)
  // A name that is cut short at the limit is a different name, so the last part of a cut list is dropped.
  const parts = requested.slice(0, MAX_LENGTH).toLowerCase().split(',')
  if (requested.length > MAX_LENGTH) parts.pop()
  for (const part of parts.slice(0, MAX_NAMES)) {
    const name = part.trim()
    if (FIELD_NAME.test(name)) names.add(name)
  }
  return [...names]
}

/**
 * Adds a request header to `Vary`, so that caches store one response per value of that header. Keeps existing names.
 *
 * @example
 * varyBy(reply, 'Origin')
 */
export function varyBy (reply: FastifyReply, name: string): void {
  const before = reply.getHeader('vary')
  if (before === undefined) reply.header('vary', name)
  else if (!includesName(String(before), name)) reply.header('vary', `${String(before)}, ${name}`)
}

function includesName (list: string, name: string): boolean {
  if (list === name) return true
  const lowerCaseName = name.toLowerCase()
  return list.split(',').some((part) => part.trim() === '*' || part.trim().toLowerCase() === lowerCaseName)
}
