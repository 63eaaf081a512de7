import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

import { NOT_FOUND } from './errors.js'
import { watchRoutes } from './guard/route-check.js'
import { refuseUnknownOptions } from './known-options.js'
import { refuse, toPublicError } from './refuse.js'

/** Makes one scope answer its errors with the suite's envelope. */
export function useEnvelope (scope: FastifyInstance): void {
  scope.setErrorHandler(function answerEnvelope (error, _request, reply) {
    return refuse(reply, toPublicError(error))
  })
}

/** Adopts the envelope for the whole scope of a host, its 404s included. Throws if the scope has its own not-found handler. */
const errorEnvelope: FastifyPluginAsync = async (app, options) => {
  refuseUnknownOptions('errorEnvelope', options, {})
  watchRoutes(app)
  useEnvelope(app)
  app.setNotFoundHandler(function answerNotFound (_request, reply) {
    return refuse(reply, new NOT_FOUND())
  })
}

export default fp(errorEnvelope, { name: 'gatehouse-error-envelope', fastify: '5.x' })
