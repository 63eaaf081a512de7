import type { IncomingHttpHeaders } from 'node:http'

/**
 * Returns whether a request has any signature header, even an incomplete set. Such a request is never accepted by its
 * key alone.
 */
export function claimsSignature (headers: IncomingHttpHeaders): boolean {
  return headers['x-datafly-signature'] !== undefined || headers['x-signature'] !== undefined ||
    headers['x-timestamp'] !== undefined
}
