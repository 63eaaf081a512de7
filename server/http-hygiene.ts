import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST } from '../lib/errors.js'
import { singleHeader } from '../lib/http/single-header.js'
import { rateCheck } from '../lib/limits/rate-limit.js'
import { refuse } from '../lib/refuse.js'
import { cutSlowReaders } from './slow-readers.js'

const MAX_HEADERS = 200

/**
 * Refuses requests that Node.js accepts: with two Host headers, or with too many headers, of which Node.js would
 * silently drop some. Also cuts clients that do not read their responses.
 */
export function checkHeaders (app: FastifyInstance, maxConnections: number): void {
  app.server.maxConnections = maxConnections
  app.server.maxHeadersCount = MAX_HEADERS + 1
  cutSlowReaders(app)
  app.addHook('onRequest', function refuseOddHeaders (request, reply, done) {
    const { rawHeaders } = request.raw
    if (rawHeaders.length > MAX_HEADERS * 2) {
      refuse(
        reply.header('Connection', 'close'),
        statusOf(new INVALID_REQUEST({ message: 'There are too many headers' }), 431)
      )
    } else if (singleHeader(rawHeaders, 'host') === null) {
      refuse(
        reply.header('Connection', 'close'),
        new INVALID_REQUEST({ message: 'There is more than one Host header' })
      )
    } else done()
  })
}

/** Limits the requests of one address to unknown paths, which vulnerability scanners send. */
export async function limitUnknownPaths (app: FastifyInstance, max: number): Promise<void> {
  if (max === 0) return
  const check = await rateCheck(app, { max, timeWindow: 60_000 })
  // Requests to known paths do not wait for a promise.
  app.addHook('onRequest', function limitUnknownPath (request, reply, done) {
    if (!request.is404) return done()
    check.call(this, request, reply).then(() => done(), done)
  })
}

function statusOf<E extends { statusCode: number }> (error: E, status: number): E {
  error.statusCode = status
  return error
}
