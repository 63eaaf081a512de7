import type { FastifyInstance } from 'fastify'

import { watchRefusals } from '../refusal-log/index.js'
import { refuse, toPublicError } from '../refuse.js'

/** Makes a scope send its errors in the suite's error envelope. */
export function useEnvelope (scope: FastifyInstance): void {
  watchRefusals(scope)
  scope.setErrorHandler(function sendEnvelope (error, _request, reply) {
    refuse(reply, toPublicError(error))
  })
}
