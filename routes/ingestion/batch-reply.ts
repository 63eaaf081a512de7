import type { FastifyReply } from 'fastify'

import type { EventError } from '../../schemas/ingestion.js'

/** Returns the JSON response for a batch, of which `accepted` events are stored, and sets its media type. */
export function batchReply (
  reply: FastifyReply,
  accepted: number,
  errors: readonly EventError[],
  duplicate = false
): string {
  reply.header('content-type', 'application/json; charset=utf-8')
  if (errors.length === 0) return `{"success":true,"accepted":${accepted}${duplicate ? ',"duplicate":true' : ''}}`
  return JSON.stringify({
    success: false,
    accepted,
    ...duplicate ? { duplicate } : {},
    rejected: errors.length,
    errors
  })
}
