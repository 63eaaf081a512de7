import type { FastifyRequest } from 'fastify'

import { unsignedError } from '../../lib/cors/unsigned-error.js'
import type { GatehouseError } from '../../lib/errors.js'
import type { ResolvedSource, Source } from '../../contracts/token-store/index.js'

/** Whether the source is enabled and the key has not ended. */
export function isLive ({ source, keyExpiresAt }: ResolvedSource): boolean {
  return source.enabled && (keyExpiresAt === null || keyExpiresAt > Date.now())
}

/** Returns the error of an unsigned request, or `null`. */
export function validateUnsigned (
  { headers: { origin } }: FastifyRequest,
  source: Readonly<Source>
): GatehouseError | null {
  return unsignedError(source, origin)
}
