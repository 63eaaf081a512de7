import type { FastifyRequest } from 'fastify'

import { singleHeader } from './single-header.js'

const SCHEME = 'Bearer '

/** Returns the Bearer token; `null` without a Bearer token or with more than one Authorization header. */
export function bearerToken ({ headers, raw }: FastifyRequest): string | null {
  const value = headers.authorization
  if (value === undefined || !value.startsWith(SCHEME)) return null
  return singleHeader(raw.rawHeaders, 'authorization') === null ? null : value.slice(SCHEME.length)
}
