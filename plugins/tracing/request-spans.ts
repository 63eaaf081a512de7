import type { Attributes, Context, Span, SpanContext, SpanOptions, Tracer, TracerProvider } from '@opentelemetry/api'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'

import { importOptional } from '../../lib/optional-package.js'
import type { OpenTelemetry } from './provider.js'
import { spanContextOf } from './trace-context.js'

export interface RequestSpansParts {
  api: OpenTelemetry
  provider: TracerProvider
  /** Returns whether the trace of the client is continued. */
  continues: (request: FastifyRequest) => boolean
}

/** The path of requests to unknown routes, instead of a string of the client. */
const UNKNOWN_ROUTE = 'unknown'

/**
 * Registers `@fastify/otel`, which creates a span for each request. The span has the template of the route instead of
 * the URL, whose path and query may contain ids and credentials, and errors without their messages. A trace of the
 * client is linked, and continued only where `continues` says so.
 */
export async function registerRequestSpans (app: FastifyInstance, parts: RequestSpansParts): Promise<void> {
  const { api, provider, continues } = parts
  const { FastifyOtelInstrumentation } = await importOptional(
    '@fastify/otel',
    () => import('@fastify/otel'),
    'The tracing plugin'
  )
  const clientKey = api.createContextKey('fastify-gatehouse.client-span')
  const instrumentation = new FastifyOtelInstrumentation({ instrumentHooks: false, instrumentHandler: false })
  instrumentation.setTracerProvider(requestTracers(api, provider, clientKey))

  app.addHook('onRequest', function chooseParent (request, _reply, done) {
    const active = api.context.active()
    // An instrumentation of node:http may have started the trace already.
    if (api.trace.getSpan(active) !== undefined || continues(request)) return done()
    // @fastify/otel reads the headers of the client only if there is no span, valid or not.
    const withoutParent = api.trace.setSpanContext(active, api.INVALID_SPAN_CONTEXT)
    const client = spanContextOf(request.headers.traceparent)
    api.context.with(client === null ? withoutParent : withoutParent.setValue(clientKey, client), done)
  })
  // @fastify/otel records the messages of errors, which may contain data. What it adds to `onError` is removed again.
  const errorHooks = new WeakMap<RouteOptions, RouteOptions['onError']>()
  app.addHook('onRoute', function keepErrorHooks (route) {
    errorHooks.set(route, route.onError)
  })
  await app.register(instrumentation.plugin())
  app.addHook('onRoute', function restoreErrorHooks (route) {
    const hooks = errorHooks.get(route)
    if (hooks === undefined) delete route.onError
    else route.onError = hooks
  })
}

/** Returns the tracers for `@fastify/otel`: request spans get safe names and attributes before a sampler sees them. */
function requestTracers (api: OpenTelemetry, provider: TracerProvider, clientKey: symbol): TracerProvider {
  return {
    getTracer (...tracerArguments) {
      const tracer = provider.getTracer(...tracerArguments)
      return {
        startSpan (name: string, options: SpanOptions = {}, context: Context = api.context.active()): Span {
          const { attributes = {} } = options
          if (attributes['fastify.root'] === undefined) return tracer.startSpan(name, options, context)
          const client = context.getValue(clientKey) as SpanContext | undefined
          return tracer.startSpan(nameOf(attributes), {
            ...options,
            attributes: safeAttributes(attributes),
            ...client === undefined ? {} : { links: [{ context: client }] }
          }, context)
        },
        startActiveSpan: tracer.startActiveSpan.bind(tracer) as Tracer['startActiveSpan']
      }
    }
  }
}

function nameOf (attributes: Attributes): string {
  const { 'http.request.method': method, 'http.route': route } = attributes
  return route === undefined ? String(method) : `${String(method)} ${String(route)}`
}

function safeAttributes (attributes: Attributes): Attributes {
  return { ...attributes, 'url.path': attributes['http.route'] ?? UNKNOWN_ROUTE }
}
