import { METHODS, request } from 'node:http'
import type { AddressInfo } from 'node:net'

import Fastify from 'fastify'
import t from 'tap'

import metrics from '../../../plugins/metrics/index.js'
import { gateway } from '../../helpers/gateway.js'
import { scraped } from '../../helpers/metrics.js'

const REQUESTS = 'gatehouse_http_requests_total'
const COUNT = 'gatehouse_http_request_duration_seconds_count'

t.test('a request is counted under the template of its route, its method and its status', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics)
  app.get<{ Params: { id: string } }>(
    '/orders/:id',
    async ({ params }, reply) => reply.code(params.id === '1' ? 200 : 410).send()
  )
  await app.register(async (scope) => scope.put('/nested', async () => ''), { prefix: '/inner' })

  for (const id of ['1', '1', '2']) await app.inject(`/orders/${id}`)
  await app.inject({ method: 'PUT', url: '/inner/nested' })
  const samples = await scraped(app)
  t.equal(samples.sum(REQUESTS, { method: 'GET', route: '/orders/:id', status: '200' }), 2)
  t.equal(samples.sum(REQUESTS, { method: 'GET', route: '/orders/:id', status: '410' }), 1)
  t.equal(samples.sum(REQUESTS, { method: 'PUT', route: '/inner/nested', status: '200' }), 1)
  t.equal(samples.sum(COUNT, { route: '/orders/:id', status_class: '2xx' }), 2)
  t.equal(samples.sum(COUNT, { route: '/orders/:id', status_class: '4xx' }), 1)
})

t.test('random paths, origins, users, keys and message ids add no series', async (t) => {
  const { app, post } = await gateway(t, {
    before: (app) => app.register(metrics, { processMetrics: false })
  })
  async function send (name: string): Promise<void> {
    await app.inject({ url: `/${name}`, headers: { origin: `https://${name}.example`, 'user-agent': name } })
    await app.inject({ method: 'DELETE', url: `/v1/${name}?${name}=${name}` })
    await post('/v1/t', { event: name, userId: name, messageId: name }, { origin: `https://${name}.example` })
    await post('/v1/t', { event: name, userId: name }, { authorization: `Bearer ${name}` })
  }

  // After one request of each kind, and two scrapes, as the first one adds the route of the metrics.
  await send('first')
  await scraped(app)
  const before = await scraped(app)
  for (let number = 0; number < 10_000; number += 4) await send(`n${number}`)
  const after = await scraped(app)
  t.equal(after.series, before.series)
  t.equal(after.sum(REQUESTS) - before.sum(REQUESTS), 10_001)
  t.same(after.values(REQUESTS, 'route'), ['/metrics', '/v1/t', 'unknown'])
})

t.test('rare methods share one label, on known and on unknown paths', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics)
  app.addHttpMethod('MKCOL')
  app.route({ method: 'MKCOL', url: '/folder', handler: async () => '' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo

  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods) for (const path of ['/folder', '/nowhere']) await send(port, method, path)
  const samples = await scraped(app)
  t.same(samples.values(REQUESTS, 'method'), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'other'])
  t.equal(samples.sum(REQUESTS), 2 * methods.length)
  t.equal(samples.sum(REQUESTS, { route: '/folder', method: 'other', status: '200' }), 1)
})

function send (port: number, method: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port, method, path, host: '127.0.0.1', agent: false }, (response) => {
      response.resume().once('end', resolve)
    }).once('error', reject).end()
  })
}
