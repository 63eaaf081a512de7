import { trace } from '@opentelemetry/api'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node'
import Fastify from 'fastify'
import t from 'tap'

import errorEnvelope from '../../../plugins/error-envelope.js'
import tracing from '../../../plugins/tracing/index.js'
import { CHANNELS } from '../../../lib/channels.js'
import { logReader } from '../../helpers/log-reader.js'
import { recordTraces } from '../../helpers/traces.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`

t.test('without an SDK the plugin adds no hook, no subscriber and no decorator, and says so', async (t) => {
  const log = logReader()
  const app = Fastify({ logger: { stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(tracing)
  app.get('/', async () => 'ok')
  t.equal((await app.inject('/')).body, 'ok')
  t.notOk(app.hasRequestDecorator('opentelemetry'))
  for (const { name, hasSubscribers } of Object.values(CHANNELS)) t.notOk(hasSubscribers, name)
  t.match(log.text(), 'no OpenTelemetry SDK is registered')
})

t.test('a provider without a context manager stops the start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const { tracerProvider } = recordTraces(t)
  const { context } = await import('@opentelemetry/api')
  context.disable()
  await t.rejects(async () => await app.register(tracing, { tracerProvider }), /no context manager of OpenTelemetry is registered/)
})

t.test('the provider that an SDK has registered for the process is used', async (t) => {
  const { tracerProvider, only } = recordTraces(t)
  trace.setGlobalTracerProvider(tracerProvider)
  t.teardown(() => trace.disable())
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing)
  app.get('/', async () => 'ok')
  await app.inject('/')
  t.equal(only('GET /').attributes['http.route'], '/')
})

t.test('a client cannot choose the trace: its span is a link, without its tracestate', async (t) => {
  const { tracerProvider, spans, text } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  app.get('/', async () => 'ok')
  await app.inject({ url: '/', headers: { traceparent: TRACEPARENT, tracestate: 'a=SECRET', baggage: 'b=SECRET' } })
  for (
    const traceparent of ['', 'x', `00-${'0'.repeat(32)}-${SPAN}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`,
      `ff-${TRACE}-${SPAN}-01`, `00-${TRACE.toUpperCase()}-${SPAN}-01`]
  ) await app.inject({ url: '/', headers: { traceparent } })
  const [linked, ...others] = spans()
  t.match(linked?.links, [{ context: { traceId: TRACE, spanId: SPAN, traceFlags: 1 } }])
  t.not(linked?.spanContext().traceId, TRACE)
  t.equal(linked?.parentSpanContext, undefined)
  t.equal(others.length, 6)
  for (const { links, parentSpanContext } of others) {
    t.same(links, [])
    t.equal(parentSpanContext, undefined)
  }
  t.notMatch(text(), 'SECRET')
})

t.test('a client cannot choose what is sampled', async (t) => {
  const { tracerProvider, spans } = recordTraces(t, new AlwaysOffSampler())
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  app.get('/', async () => 'ok')
  t.equal((await app.inject({ url: '/', headers: { traceparent: TRACEPARENT } })).statusCode, 200)
  t.same(spans(), [])
})

t.test('continueTraces continues the trace of a client, for all requests or those that a function names', async (t) => {
  const { tracerProvider, spans } = recordTraces(t)
  tracerProvider.register()
  t.teardown(async () => {
    const { context, propagation } = await import('@opentelemetry/api')
    trace.disable()
    context.disable()
    propagation.disable()
  })
  for (const continueTraces of [true, (request: { ip: string }) => request.ip === '10.0.0.1']) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tracing, { tracerProvider, continueTraces })
    app.get('/', async () => 'ok')
    const headers = { traceparent: TRACEPARENT }
    await app.inject({ url: '/', remoteAddress: '10.0.0.1', headers })
    await app.inject({ url: '/', remoteAddress: '10.0.0.2', headers })
  }
  t.same(spans().map(({ parentSpanContext }) => parentSpanContext?.spanId), [SPAN, SPAN, SPAN, undefined])
  t.same(spans().map((span) => span.spanContext().traceId === TRACE), [true, true, true, false])
})

t.test('the log lines of a request have the ids of its trace, unless logs is false', async (t) => {
  const { tracerProvider, spans } = recordTraces(t)
  for (const logs of [true, false]) {
    const log = logReader()
    const app = Fastify({ logger: { stream: log.stream } })
    t.teardown(() => app.close())
    await app.register(tracing, { tracerProvider, logs })
    await app.register(errorEnvelope)
    app.post('/', async (request) => {
      request.log.info('handled')
      return 'ok'
    })
    await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    await app.inject('/nowhere')
    const [first, missing] = spans().slice(-3).filter(({ name }) => name === 'POST /' || name === 'GET')
    const ids = (span: typeof first) => {
      const { traceId, spanId } = span?.spanContext() ?? {}
      return logs ? { trace_id: traceId, span_id: spanId } : {}
    }
    const lines = log.lines().filter(({ msg }) => msg !== 'incoming request' && !/not found/.test(String(msg)))
    t.same(lines.map(({ msg }) => msg), ['handled', 'request completed', 'request refused', 'request completed'])
    for (const [at, line] of lines.entries()) {
      const expected = ids(at < 2 ? first : missing)
      t.match(line, expected)
      t.equal('trace_id' in line, logs)
      t.type(line.reqId, 'string')
    }
  }
})

t.test('the URL, the ids in the path and the message of an error are not recorded', async (t) => {
  const { tracerProvider, only, text } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  app.addHook('onError', async function ofTheHost () {})
  app.get('/users/:id', async () => { throw new Error('row SECRET-1') })
  const response = await app.inject('/users/SECRET-2?key=SECRET-3')
  t.equal(response.statusCode, 500)
  const span = only('GET /users/:id')
  t.same(span.status, { code: 2 })
  t.match(span.attributes, { 'url.path': '/users/:id', 'http.route': '/users/:id' })
  t.same(span.events, [])
  t.notMatch(text(), 'SECRET')
})

t.test('the error hooks of a route of the host still run', async (t) => {
  const { tracerProvider } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  let errors = 0
  app.get('/', { onError: async () => { errors++ } }, async () => { throw new Error('x') })
  t.equal((await app.inject('/')).statusCode, 500)
  t.equal(errors, 1)
})

t.test('the trace is active in the handler of a request with a body, and in what it starts', async (t) => {
  const { tracerProvider, only } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  app.post('/', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return { trace: trace.getActiveSpan()?.spanContext().traceId }
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const response = await fetch(origin, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ filler: 'a'.repeat(300_000) })
  })
  t.equal(response.status, 200)
  t.same(await response.json(), { trace: only('POST /').spanContext().traceId })
})

t.test('a host keeps its own registration of @fastify/otel, and the steps are in its spans', async (t) => {
  const { tracerProvider, tree, only } = recordTraces(t)
  const instrumentation = new FastifyOtelInstrumentation({ instrumentHooks: false })
  instrumentation.setTracerProvider(tracerProvider)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(instrumentation.plugin())
  await app.register(tracing, { tracerProvider })
  const { authorizeByHost } = await import('../../../lib/authorize.js')
  app.get('/', async function handle () { return await authorizeByHost(() => ({ user: 'u' })) })
  await app.inject('/')
  t.same(tree(only('request')), ['request', '  handler - handle', '    authorize'])
})

t.test('two apps of one process record their own requests only, and a closed app none', async (t) => {
  const [one, two] = [recordTraces(t), recordTraces(t)]
  const { authorizeByHost } = await import('../../../lib/authorize.js')
  const apps = []
  for (const { tracerProvider } of [one, two]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tracing, { tracerProvider })
    app.get('/', async () => await authorizeByHost(() => ({ user: 'u' })))
    apps.push(app)
  }
  for (const app of [...apps, ...apps]) await app.inject('/')
  for (const traces of [one, two]) {
    t.same(traces.spans().map(({ name }) => name), ['authorize', 'GET /', 'authorize', 'GET /'])
  }
  for (const app of apps) await app.close()
  for (const { name, hasSubscribers } of Object.values(CHANNELS)) t.notOk(hasSubscribers, name)
})

t.test('a second registration in one scope is refused', async (t) => {
  const { tracerProvider } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  await t.rejects(async () => await app.register(tracing, { tracerProvider }), /tracing: already registered/)
})

t.test('a route with config.otel false is not traced, and works', async (t) => {
  const { tracerProvider, spans } = recordTraces(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tracing, { tracerProvider })
  app.get('/', { config: { otel: false } }, async () => 'ok')
  t.equal((await app.inject('/')).body, 'ok')
  t.same(spans(), [])
})

t.test('a wrong option stops the start', async (t) => {
  for (
    const [options, message] of [
      [{ continueTraces: 'yes' }, '"continueTraces" must be a boolean or a function'],
      [{ propagate: 1 }, '"propagate"'],
      [{ logs: null }, '"logs"'],
      [{ tracerProvider: {} }, '"tracerProvider" must be a TracerProvider'],
      [{ continueTrace: true }, 'did you mean "continueTraces"']
    ] as const
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => await app.register(tracing, options as object), new RegExp(message.replace(/[?"]/g, '.')))
  }
})
