import type { FastifyInstance } from 'fastify'

import { refuse, toPublicError } from '../refuse.js'

/** Makes one scope answer its errors with the suite's envelope. */
export function useEnvelope (scope: FastifyInstance): void {
  scope.setErrorHandler(function answerEnvelope (error, _request, reply) {
    return refuse(reply, toPublicError(error))
  })
}
