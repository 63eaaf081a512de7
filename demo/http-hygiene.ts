import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST } from '../plugins/errors.js'
import { limitRate } from '../plugins/rate-limit.js'
import { refuse } from '../plugins/refuse.js'

const MAX_HEADERS = 200

/** Refuses what Node lets through: two Host headers, and more headers than any client needs (Node would drop the rest unseen). */
export function checkHeaders (app: FastifyInstance, maxConnections: number): void {
  app.server.maxConnections = maxConnections
  app.server.maxHeadersCount = MAX_HEADERS + 1
  app.addHook('onRequest', function refuseOddHeaders (request, reply, done) {
    const { rawHeaders } = request.raw
    if (rawHeaders.length > MAX_HEADERS * 2) {
      refuse(reply.header('Connection', 'close'), statusOf(new INVALID_REQUEST({ message: 'There are too many headers' }), 431))
    } else if (countHosts(rawHeaders) > 1) {
      refuse(reply.header('Connection', 'close'), new INVALID_REQUEST({ message: 'There is more than one Host header' }))
    } else done()
  })
}

/** Limits the requests of one address that find nothing, as looking for holes does. */
export async function limitUnknownPaths (app: FastifyInstance, max: number): Promise<void> {
  if (max === 0) return
  let check: ((...parameters: never[]) => unknown) | undefined
  const facade: FastifyInstance = Object.create(app, {
    addHook: { value: (_name: string, hook: typeof check) => { check = hook } }
  })
  await limitRate(facade, { max, timeWindow: 60_000 })
  const limit = check as unknown as (this: FastifyInstance, request: unknown, reply: unknown) => Promise<void>
  // Everything else goes past it without waiting for a promise.
  app.addHook('onRequest', function limitUnknownPath (request, reply, done) {
    if (!request.is404) return done()
    limit.call(this, request, reply).then(() => done(), done)
  })
}

function countHosts (rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}

function statusOf<E extends { statusCode: number }> (error: E, status: number): E {
  error.statusCode = status
  return error
}
