import t from 'tap'

import tracing from '../../../plugins/tracing/index.js'
import { API_KEY, guestTokenApp, PROXY_KEY, REFERENCE_KEY, tokenOf } from '../../helpers/guest-token.js'
import { KEY, PREFIX, proxyApp } from '../../helpers/databrain-proxy.js'
import { reply } from '../../helpers/stub-upstream.js'
import { recordTraces } from '../../helpers/traces.js'

const ROUTE = 'GET /api/databrain/guest-token'
const CLIENT_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CLIENT = {
  traceparent: `00-${CLIENT_TRACE}-00f067aa0ba902b7-01`,
  tracestate: 'vendor=SECRET-1',
  baggage: 'user=SECRET-2'
}

t.test('a trace of a guest token has guards, authorize, the creation and the call to the upstream', async (t) => {
  const traces = recordTraces(t)
  const { app, ask, databrain } = await guestTokenApp(t, {}, {}, async (app) => {
    await app.register(tracing, { tracerProvider: traces.tracerProvider })
  })
  const reference = app.userReference.sign({ sub: 'ann' })
  const url = `/api/databrain/guest-token?ref=${reference}`
  const response = await app.inject({ url, headers: { authorization: `Bearer ${PROXY_KEY}`, ...CLIENT } })
  t.equal(response.statusCode, 200)

  const request = traces.only(ROUTE)
  const upstream = traces.only('upstream databrain')
  t.same(traces.tree(request), [
    ROUTE,
    '  guard proxyKey',
    '  guard userReference',
    '  authorize',
    '  mint databrain',
    '    upstream databrain'
  ])
  t.match(request.attributes, { 'url.path': '/api/databrain/guest-token', 'gatehouse.mint': 'minted' })
  const { hostname, port } = new URL(databrain.origin)
  t.match(upstream.attributes, {
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'server.address': hostname,
    'server.port': Number(port),
    'gatehouse.product': 'databrain'
  })
  t.equal(upstream.kind, 2, 'a client span')

  const { traceId } = request.spanContext()
  const headers = databrain.calls[0]?.headers ?? {}
  t.equal(headers['traceparent'], `00-${traceId}-${upstream.spanContext().spanId}-01`)
  t.equal(headers['tracestate'], undefined)
  t.equal(headers['baggage'], undefined)
  t.not(traceId, CLIENT_TRACE)

  t.equal((await ask('ann')).statusCode, 200)
  t.equal(databrain.calls.length, 1)
  for (const secret of [reference, PROXY_KEY, REFERENCE_KEY, API_KEY, tokenOf('ann'), 'ann', 'SECRET']) {
    t.notMatch(traces.text(), secret)
  }
})

t.test('an upstream that fails marks its call, the creation and the request', async (t) => {
  const traces = recordTraces(t)
  const { ask, databrain } = await guestTokenApp(t, { retries: 0 }, {}, async (app) => {
    await app.register(tracing, { tracerProvider: traces.tracerProvider })
  })
  databrain.answer = reply({ error: 'SECRET-1' }, 503)
  const response = await ask('ann')
  t.equal(response.statusCode, 500)
  t.equal(response.json().error.code, 'INTERNAL_ERROR')
  t.match(traces.only('upstream databrain'), {
    status: { code: 2 },
    attributes: { 'http.response.status_code': 503, 'error.type': 'UPSTREAM_ERROR' }
  })
  t.match(traces.only('mint databrain'), { status: { code: 2 }, attributes: { 'error.type': 'UPSTREAM_ERROR' } })
  t.match(traces.only(ROUTE), { status: { code: 2 }, attributes: { 'error.type': 'INTERNAL_ERROR' } })
  t.notMatch(traces.text(), 'SECRET')
})

t.test('a user without permission is refused in authorize, which is no error', async (t) => {
  const traces = recordTraces(t)
  const { ask } = await guestTokenApp(t, { authorize: () => null }, {}, async (app) => {
    await app.register(tracing, { tracerProvider: traces.tracerProvider })
  })
  const response = await ask('ann')
  t.equal(response.statusCode, 401)
  t.equal(response.json().error.code, 'UNAUTHORIZED')
  t.match(traces.only('authorize'), { status: { code: 0 }, attributes: { 'error.type': 'UNAUTHORIZED' } })
  t.match(traces.only(ROUTE), { status: { code: 0 }, attributes: { 'gatehouse.mint': 'refused' } })
})

t.test('with propagate: false the upstream receives no trace', async (t) => {
  const traces = recordTraces(t)
  const { ask, databrain } = await guestTokenApp(t, {}, {}, async (app) => {
    await app.register(tracing, { tracerProvider: traces.tracerProvider, propagate: false })
  })
  t.equal((await ask('ann')).statusCode, 200)
  t.notMatch(databrain.rawBytes().toLowerCase(), 'traceparent')
  t.ok(traces.only('upstream databrain'))
})

t.test('a forwarded call continues the trace of this server at the upstream, not that of the client', async (t) => {
  const traces = recordTraces(t)
  const { call, upstream } = await proxyApp(t, {}, {}, async (app) => {
    await app.register(tracing, { tracerProvider: traces.tracerProvider })
  })
  const response = await call({ url: `${PREFIX}/x?token=SECRET-3`, headers: { ...KEY, ...CLIENT, cookie: 'user=ann' } })
  t.equal(response.statusCode, 200)
  const forwarded = traces.only('upstream databrain_proxy')
  const headers = upstream.calls.at(-1)?.headers ?? {}
  t.equal(headers['traceparent'], `00-${forwarded.spanContext().traceId}-${forwarded.spanContext().spanId}-01`)
  t.not(forwarded.spanContext().traceId, CLIENT_TRACE)
  t.equal(headers['tracestate'], undefined)
  t.equal(headers['baggage'], undefined)
  t.notMatch(traces.text(), /SECRET|ann/)
})
