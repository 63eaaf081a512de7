import type { FastifyInstance } from 'fastify'

import { CHANNELS } from '../channels.js'
import type { Step, StepTrace, UpstreamProduct } from '../channels.js'
import { UPSTREAM_ERROR } from '../errors.js'
import { startStep } from '../trace.js'
import type { UpstreamClient } from './index.js'

/** A product, or the list of breached passwords. */
export type TracedUpstream = UpstreamProduct | 'breached_passwords'

/**
 * Returns a client whose calls are steps of a trace and continue the trace at the upstream. With `server` a call is
 * also traced without a request, such as the refresh of keys in the background.
 */
export function tracedUpstream (
  product: TracedUpstream,
  client: UpstreamClient,
  server?: FastifyInstance
): UpstreamClient {
  return {
    ...client,
    async call (request) {
      if (!CHANNELS.step.hasSubscribers) return await client.call(request)
      const trace = startUpstreamStep(product, client.origin, request.method, server)
      if (trace === null) return await client.call(request)
      try {
        const headers = { ...request.headers, ...trace.headers }
        const reply = await trace.run(() => client.call({ ...request, headers }))
        endUpstreamStep(trace, reply.statusCode)
        return reply
      } catch (error) {
        trace.end(error)
        throw error
      }
    }
  }
}

/** Begins the step of a call. Returns `null` if nothing traces it. */
export function startUpstreamStep (
  product: TracedUpstream,
  origin: string,
  method: string,
  server?: FastifyInstance
): StepTrace | null {
  const { hostname, port, protocol } = new URL(origin)
  const attributes: Step['attributes'] = {
    'http.request.method': method,
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  }
  return startStep({ kind: 'upstream', name: product, attributes, ...server === undefined ? {} : { server } })
}

/** Ends the step of a call that was answered. A status of 400 and more is an error, as OpenTelemetry defines it. */
export function endUpstreamStep (trace: StepTrace, statusCode: number): void {
  trace.set({ 'http.response.status_code': statusCode })
  trace.end(statusCode >= 400 ? new UPSTREAM_ERROR() : undefined)
}
