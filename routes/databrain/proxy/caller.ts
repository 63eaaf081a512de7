import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether the caller has hung up, so that no answer will arrive. One that waits in a pipeline is told by its socket alone. */
export function hasLeft (request: FastifyRequest, reply: FastifyReply): boolean {
  return !reply.raw.writableFinished && (reply.raw.closed || request.raw.socket.destroyed)
}
