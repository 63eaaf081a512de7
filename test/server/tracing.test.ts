import { trace } from '@opentelemetry/api'
import t from 'tap'
import type { Test } from 'tap'

import { demoApp } from '../helpers/server-app.js'
import { recordTraces } from '../helpers/traces.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CLIENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }

/** Registers an SDK for the process, as `node --import` does before the server starts. */
function registerSdk (t: Test) {
  const traces = recordTraces(t)
  traces.tracerProvider.register()
  t.teardown(async () => {
    const { propagation } = await import('@opentelemetry/api')
    trace.disable()
    propagation.disable()
  })
  return traces
}

t.test('the built-in server traces requests if an SDK is registered, and the log has the ids', async (t) => {
  const traces = registerSdk(t)
  const { app, first, log } = await demoApp(t)
  const headers = { authorization: `Bearer ${first.pipelineKey}`, ...CLIENT }
  const response = await app.inject({
    method: 'POST',
    url: '/v1/t',
    headers,
    payload: { event: 'SECRET-1', userId: 'SECRET-2' }
  })
  t.equal(response.statusCode, 200)
  const request = traces.only('POST /v1/t')
  t.same(traces.tree(request), ['POST /v1/t', '  guard pipelineKey', '  sink write'])
  t.not(request.spanContext().traceId, TRACE)
  const line = log.lines().find(({ msg, reqId }) =>
    msg === 'request completed' && reqId === response.headers['x-request-id']
  )
  t.match(line, { trace_id: request.spanContext().traceId, span_id: request.spanContext().spanId })
  for (const secret of [first.pipelineKey ?? '', 'SECRET']) t.notMatch(traces.text(), secret)
})

t.test('the requests of monitoring are not traced', async (t) => {
  const traces = registerSdk(t)
  const { app } = await demoApp(t)
  for (const url of ['/healthz', '/readyz', '/metrics']) t.equal((await app.inject(url)).statusCode, 200, url)
  t.same(traces.spans().map(({ name }) => name), [])
})

t.test('TRACING=continue continues the trace of a client, and TRACING=off records none', async (t) => {
  const traces = registerSdk(t)
  const { app } = await demoApp(t, { TRACING: 'continue' })
  await app.inject({ url: '/nowhere', headers: CLIENT })
  const recorded = traces.spans().length
  t.equal(traces.only('GET').spanContext().traceId, TRACE)
  const { app: off } = await demoApp(t, { TRACING: 'off' })
  t.equal((await off.inject({ url: '/nowhere', headers: CLIENT })).statusCode, 404)
  t.equal(traces.spans().length, recorded)
})

t.test('without an SDK the built-in server registers nothing and logs no trace', async (t) => {
  const { app, log } = await demoApp(t)
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.notOk(app.hasRequestDecorator('opentelemetry'))
  t.notMatch(log.text(), /trace_id|OpenTelemetry/)
})
