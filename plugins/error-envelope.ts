import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { NOT_FOUND } from '../lib/errors.js'
import { watchRoutes } from '../lib/guard/route-check.js'
import { refuseUnknownOptions } from '../lib/options.js'
import { useEnvelope } from '../lib/http/envelope.js'
import { refuse } from '../lib/refuse.js'

/**
 * Sets the suite's error format for the whole scope of a host, including its 404 responses. Throws if the scope already
 * has a not-found handler.
 *
 * @example
 * await app.register(errorEnvelope)
 */
const errorEnvelope: FastifyPluginAsync = async (app, options) => {
  refuseUnknownOptions('errorEnvelope', options, {})
  watchRoutes(app)
  useEnvelope(app)
  app.setNotFoundHandler(function sendNotFound (_request, reply) {
    refuse(reply, new NOT_FOUND({ reason: 'there is no such route' }))
  })
}

export default fp(errorEnvelope, { name: 'gatehouse-error-envelope', fastify: '5.x' })
