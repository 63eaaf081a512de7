import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import type { FastifyInstance } from 'fastify'

import { plainAddress } from '../lib/http/client-address.js'
import { REQUEST_ID_HEADER } from '../lib/http/request-id.js'

/** Ids of proxies such as nginx (32 hex digits), Envoy and Heroku (UUIDs), and AWS (`Root=1-…`). */
const ACCEPTED = /^[\w.:;=+/-]{1,64}$/

/**
 * Returns Fastify's `genReqId`: a new UUID, or the `X-Request-Id` that a trusted proxy sent. A client cannot choose the
 * id, and the id does not show how many requests the server has had.
 */
export function requestIds (isTrusted: ((address: string) => boolean) | false): (request: IncomingMessage) => string {
  if (isTrusted === false) return () => randomUUID()
  return function requestId ({ headers, socket }) {
    const sent = headers['x-request-id']
    return typeof sent === 'string' && ACCEPTED.test(sent) && isTrusted(plainAddress(socket.remoteAddress))
      ? sent
      : randomUUID()
  }
}

/** Adds `X-Request-Id` to every response of the app, whose ids are those of `requestIds`. */
export function addRequestIds (app: FastifyInstance): void {
  app.addHook('onRequest', function setRequestId ({ id }, reply, done) {
    reply.header(REQUEST_ID_HEADER, id)
    done()
  })
}
