import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { NOT_FOUND } from '../lib/errors.js'
import { watchRoutes } from '../lib/guard/route-check.js'
import { refuseUnknownOptions } from '../lib/options.js'
import { useEnvelope } from '../lib/http/envelope.js'
import { refuse } from '../lib/refuse.js'

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
