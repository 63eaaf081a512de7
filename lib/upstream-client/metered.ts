import type { FastifyInstance } from 'fastify'

import { CHANNELS } from '../channels.js'
import type { UpstreamMessage, UpstreamProduct } from '../channels.js'
import { UPSTREAM_TIMEOUT } from '../errors.js'
import type { UpstreamClient } from './index.js'
import { tracedUpstream } from './traced.js'

/**
 * Returns a client that also publishes the outcome and the duration of each call, and traces it.
 *
 * @example
 * const upstream = meteredUpstream(app, 'databrain', upstreamClient({ origin }))
 */
export function meteredUpstream (
  server: FastifyInstance,
  product: UpstreamProduct,
  client: UpstreamClient
): UpstreamClient {
  return tracedUpstream(product, {
    ...client,
    async call (request) {
      if (!CHANNELS.upstream.hasSubscribers) return await client.call(request)
      const start = performance.now()
      let outcome: UpstreamMessage['outcome'] = 'failed'
      try {
        const reply = await client.call(request)
        outcome = outcomeOf(reply.statusCode)
        return reply
      } catch (error) {
        if (error instanceof UPSTREAM_TIMEOUT) outcome = 'timeout'
        else if (request.signal?.aborted === true) outcome = 'cancelled'
        throw error
      } finally {
        CHANNELS.upstream.publish({ server, product, outcome, duration: performance.now() - start })
      }
    }
  }, server)
}

/** Returns the outcome of a call with this response status. */
export function outcomeOf (statusCode: number): UpstreamMessage['outcome'] {
  if (statusCode >= 500) return 'failed'
  return statusCode >= 400 ? 'refused' : 'ok'
}
