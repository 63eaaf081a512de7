import type { FastifyReply } from 'fastify'

/**
 * The response header with the id that the log lines of the request have as `reqId`. In lower case, because Fastify
 * needs twice the time for names that it must convert.
 */
export const REQUEST_ID_HEADER = 'x-request-id'

/** A host may take ids from a header of the client, which may contain any bytes. */
const SAFE = /^[\x21-\x7e]{1,128}$/

/** Adds `X-Request-Id` to a response that does not have it yet, unless the id has other characters or is too long. */
export function addRequestId (reply: FastifyReply): void {
  if (reply.hasHeader(REQUEST_ID_HEADER)) return
  const { id } = reply.request
  if (SAFE.test(id)) reply.header(REQUEST_ID_HEADER, id)
}
