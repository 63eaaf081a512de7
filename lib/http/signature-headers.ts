import type { IncomingHttpHeaders } from 'node:http'

/** Whether a request claims to be signed, in either spelling or with half of one: then it is never judged by its key alone. */
export function claimsSignature (headers: IncomingHttpHeaders): boolean {
  return headers['x-datafly-signature'] !== undefined || headers['x-signature'] !== undefined || headers['x-timestamp'] !== undefined
}
