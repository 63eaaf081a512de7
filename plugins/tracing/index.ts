import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { TracerProvider } from '@opentelemetry/api'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { assertBoolean, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import { importOptional } from '../../lib/optional-package.js'
import { requestSlot } from '../../lib/request-slot.js'
import { followRequests } from './follow-requests.js'
import { checkContextManager, registeredProvider } from './provider.js'
import { ActiveTrace } from './request-trace.js'
import type { RequestTrace } from './request-trace.js'
import { registerRequestSpans } from './request-spans.js'
import { subscribeAll } from './subscriptions.js'

/** The part of OpenTelemetry's `TracerProvider` that the plugin uses. */
export interface TraceProvider {
  getTracer (name: string, version?: string, options?: object): object
}

export interface TracingOptions {
  /**
   * Whether the trace that a client names in `traceparent` is continued; or a function that decides for a request.
   * Otherwise each request is a new trace with a link to the client's span, so that clients cannot choose trace ids nor
   * what is sampled. Default: `false`.
   */
  continueTraces?: boolean | ((request: FastifyRequest) => boolean)
  /** Whether upstreams receive the trace, in `traceparent` and `tracestate`. Default: `true`. */
  propagate?: boolean
  /** Adds `trace_id`, `span_id` and `trace_flags` to the log lines of a request. Default: `true`. */
  logs?: boolean
  /** The tracer provider. Default: the one that an SDK has registered; without an SDK the plugin does nothing. */
  tracerProvider?: TraceProvider
}

const KNOWN: KnownOptions<TracingOptions> = {
  continueTraces: true,
  propagate: true,
  logs: true,
  tracerProvider: true
}
const assertOption: AssertOption = optionAssertion('tracing')

// Symbol.for, so that two copies of the package in one process see each other's registrations.
const OWNER: unique symbol = Symbol.for('fastify-gatehouse.tracing') as never

type Scope = FastifyInstance & { [OWNER]?: object }

/**
 * Traces the requests of the scope by OpenTelemetry: the request, its guards and look-ups, calls to upstreams, the
 * creation of tokens, and the flushes of the event sink. Does nothing if no SDK is registered. Register it first:
 * requests to scopes that were created before are not traced. Needs the packages `@opentelemetry/api` and
 * `@fastify/otel`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(tracing)
 */
const tracing: FastifyPluginAsync<TracingOptions> = async (app, options) => {
  refuseUnknownOptions('tracing', options, KNOWN)
  const { continueTraces = false, propagate = true, logs = true, tracerProvider } = options
  assertOption(
    typeof continueTraces === 'boolean' || typeof continueTraces === 'function',
    'continueTraces',
    'a boolean or a function',
    continueTraces
  )
  assertBoolean('tracing', 'propagate', propagate)
  assertBoolean('tracing', 'logs', logs)
  assertOption(tracerProvider === undefined || isProvider(tracerProvider), 'tracerProvider', 'a TracerProvider')
  if ((app as Scope)[OWNER] !== undefined) {
    throw new INVALID_OPTIONS('tracing: already registered in this scope or in a scope around it; register it once')
  }
  const api = await importOptional('@opentelemetry/api', () => import('@opentelemetry/api'), 'The tracing plugin')
  const provider = tracerProvider as TracerProvider | undefined ?? registeredProvider(api)
  if (provider === null) {
    app.log.info('tracing: no OpenTelemetry SDK is registered, so no traces are recorded')
    return
  }
  checkContextManager(api)

  const owner = {}
  ;(app as Scope)[OWNER] = owner
  const active = new ActiveTrace(api)
  const traces = requestSlot<RequestTrace>(app)
  const continues = typeof continueTraces === 'function' ? continueTraces : () => continueTraces
  // A host may have registered @fastify/otel with options of its own.
  if (!app.hasRequestDecorator('opentelemetry')) await registerRequestSpans(app, { api, provider, continues })
  followRequests(app, { active, traces, logs })
  const unsubscribe = subscribeAll({
    api,
    tracer: provider.getTracer('fastify-gatehouse'),
    active,
    traces,
    covers: (server) => (server as Scope)[OWNER] === owner,
    propagates: propagate
  })
  app.addHook('onClose', async () => unsubscribe())
}

function isProvider (value: unknown): boolean {
  return typeof (value as Partial<TraceProvider> | null)?.getTracer === 'function'
}

export default fp(tracing, { name: 'gatehouse-tracing', fastify: '5.x' })
