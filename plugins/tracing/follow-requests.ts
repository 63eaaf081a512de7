import type { Context, Span } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { RequestSlot } from '../../lib/request-slot.js'
import { RequestTrace } from './request-trace.js'
import type { ActiveTrace } from './request-trace.js'

export interface FollowParts {
  active: ActiveTrace
  traces: RequestSlot<RequestTrace>
  /** Whether the log lines of a request have the ids of its trace. */
  logs: boolean
}

/** The decorator of `@fastify/otel`. */
interface Instrumented {
  opentelemetry (): { span: Span | null, context: Context | null }
}

/** Keeps the trace of each request, and makes it active in all hooks and in the handler. */
export function followRequests (app: FastifyInstance, { active, traces, logs }: FollowParts): void {
  app.addHook('onRequest', function followRequest (request, reply, done) {
    const { span, context } = (request as FastifyRequest & Instrumented).opentelemetry()
    // A route may be without traces: `config.otel: false`.
    if (span === null || context === null) return done()
    const trace = new RequestTrace(active, span, context)
    traces.set(request, trace)
    if (logs) addTraceIds(request, reply, span)
    active.continue(trace, done)
  })

  // The events of a body's stream come from outside of the context.
  app.addHook('preValidation', function continueTrace (request, _reply, done) {
    const trace = traces.get(request)
    if (trace === null) done()
    else active.continue(trace, done)
  })
}

/** Adds the fields that OpenTelemetry defines for logs in JSON to all further log lines of the request. */
function addTraceIds (request: FastifyRequest, reply: FastifyReply, span: Span): void {
  const { traceId, spanId, traceFlags } = span.spanContext()
  const log = request.log.child({
    trace_id: traceId,
    span_id: spanId,
    trace_flags: traceFlags.toString(16).padStart(2, '0')
  })
  Object.assign(request, { log })
  Object.assign(reply, { log })
}
