import type { FastifyInstance } from 'fastify'

import { refuse, toPublicError } from '../refuse.js'

/** Makes a scope send its errors in the suite's error envelope. */
export function useEnvelope (scope: FastifyInstance): void {
  scope.setErrorHandler(function sendEnvelope (error, _request, reply) {
    return refuse(reply, toPublicError(error))
  })
}
