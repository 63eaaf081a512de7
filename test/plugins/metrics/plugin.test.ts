import { channel } from 'node:diagnostics_channel'

import Fastify from 'fastify'
import { Counter, Registry } from 'prom-client'
import t from 'tap'

import { CHANNELS } from '../../../lib/channels.js'
import errorEnvelope from '../../../plugins/error-envelope.js'
import metrics from '../../../plugins/metrics/index.js'
import requireHttps from '../../../plugins/require-https.js'
import { samplesOf, scraped } from '../../helpers/metrics.js'

const REQUESTS = 'gatehouse_http_requests_total'
const OPEN_METRICS = 'application/openmetrics-text'

t.test('two apps of one process share no counts', async (t) => {
  const apps = await Promise.all([1, 2].map(async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(metrics)
    await app.register(errorEnvelope)
    await app.register(requireHttps, { allowLoopback: false })
    return app.get('/', { config: { gatehouse: { https: true } } }, async () => '')
  }))
  await apps[0]?.inject('/')
  for (const [at, app] of apps.entries()) {
    const samples = await scraped(app)
    const expected = at === 0 ? 1 : 0
    t.equal(samples.sum(REQUESTS, { route: '/' }), expected)
    t.equal(samples.sum('gatehouse_refusals_total', { code: 'HTTPS_REQUIRED' }), expected)
    t.equal(samples.sum('gatehouse_guard_decisions_total', { guard: 'https' }), expected)
    t.ok(samples.names.has('nodejs_eventloop_lag_p99_seconds'), 'both have the metrics of the process')
  }
})

t.test('sibling scopes count their own requests, and a nested registration stops the start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const name of ['a', 'b']) {
    await app.register(async (scope) => {
      await scope.register(metrics, { path: `/metrics-${name}` })
      scope.get(`/${name}`, async () => '')
    })
  }
  await app.inject('/a')
  t.equal(samplesOf((await app.inject('/metrics-a')).body).sum(REQUESTS), 1)
  t.equal(samplesOf((await app.inject('/metrics-b')).body).sum(REQUESTS), 0)

  const nested = Fastify()
  t.teardown(() => nested.close())
  await nested.register(metrics)
  nested.register(async (scope) => scope.register(metrics, { path: '/x' }))
  await t.rejects(async () => nested.ready(), {
    code: 'INVALID_OPTIONS',
    message: /already registered/
  })
})

t.test('the metrics are added to the registry of the host, and served together with its own', async (t) => {
  const registry = new Registry()
  registry.setDefaultLabels({ region: 'eu' })
  new Counter({ name: 'shop_orders_total', help: 'Orders.', registers: [registry] }).inc(3)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics, { registry })
  t.equal(app.metricsRegistry, registry)
  await app.inject('/nowhere')
  const samples = await scraped(app)
  t.equal(samples.sum('shop_orders_total', { region: 'eu' }), 3)
  t.equal(samples.sum(REQUESTS, { region: 'eu', route: 'unknown' }), 1)
  t.notOk(samples.names.has('process_cpu_seconds_total'), 'the host collects them itself')
  t.match(await registry.metrics(), /^gatehouse_http_requests_total\{/m)
})

t.test('without a path there is no route, and the registry has the metrics', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics, { path: false })
  t.equal((await app.inject('/metrics')).statusCode, 404)
  t.equal(samplesOf(await app.metricsRegistry.metrics()).sum(REQUESTS, { status: '404' }), 1)
})

t.test('a scrape is in the format that Accept prefers, also in turns, and is not cached', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics)
  const cases: ReadonlyArray<[accept: string | undefined, open: boolean]> = [
    [undefined, false],
    ['*/*', false],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', false],
    [`${OPEN_METRICS};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`, true],
    [`${OPEN_METRICS}; version=1.0.0; escaping=allow-utf-8; q=0.6, ${OPEN_METRICS}; q=0.5, text/plain; q=0.4`, true],
    [`${OPEN_METRICS};q=0.1,text/plain;q=0.9`, false],
    [`${OPEN_METRICS};q=0`, false],
    [undefined, false]
  ]
  for (const [accept, open] of cases) {
    const response = await app.inject({ url: '/metrics', headers: accept === undefined ? {} : { accept } })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['cache-control'], 'no-store')
    t.match(response.headers['content-type'], open ? `${OPEN_METRICS}; version=1.0.0` : 'text/plain; version=0.0.4')
    t.equal(response.body.endsWith('# EOF\n'), open, accept ?? 'no header')
    t.match(response.body, open ? '# TYPE gatehouse_refusals counter' : '# TYPE gatehouse_refusals_total counter')
    t.match(response.body, /^gatehouse_refusals_total\{code="NOT_FOUND"\} 0$/m)
  }
})

t.test('the subscriptions end with the app', async (t) => {
  // The channels of traces alone.
  const { queued: _, step: __, ...counted } = CHANNELS
  const names = Object.values(counted).map(({ name }) => name)
  const app = Fastify()
  await app.register(metrics)
  await app.ready()
  for (const name of names) t.equal(channel(name).hasSubscribers, true, name)
  await app.close()
  for (const name of names) t.equal(channel(name).hasSubscribers, false, name)
})

t.test('an invalid option stops the start', async (t) => {
  for (const options of [{ path: 'metrics' }, { path: true }, { registry: {} }, { processMetrics: 1 }, { token: 'x' }]) {
    const app = Fastify()
    app.register(metrics, options as object)
    await t.rejects(async () => app.ready(), { code: 'INVALID_OPTIONS', message: /^metrics: / })
    await app.close()
  }
})
