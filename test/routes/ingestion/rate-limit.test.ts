import t from 'tap'

import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { codeOf, gateway } from '../../helpers/gateway.js'

const limited = { max: 5, timeWindow: 60_000 }

t.test('requests of one address are limited before the key is checked, with Retry-After and the RateLimit ' +
  'headers', async (t) => {
  const { post, stored } = await gateway(t, { ingestion: { rateLimit: limited } })
  for (let i = 0; i < 5; i++) {
    t.equal((await post('/v1/t', { event: 'e' }, { authorization: 'Bearer x' })).statusCode, 401)
  }
  const response = await post('/v1/t', { event: 'e' })
  t.equal(response.statusCode, 429)
  t.equal(codeOf(response), 'RATE_LIMITED')
  t.ok(Number(response.headers['retry-after']) > 0)
  t.match(response.headers, { 'ratelimit-limit': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': /^\d+$/ })
  t.equal((await stored()).length, 0)
})

t.test('requests with any X-Forwarded-For, path or method share one bucket per address', async (t) => {
  const { app, post } = await gateway(t, { ingestion: { rateLimit: limited } })
  const statuses = [
    await post('/v1/t', { event: 'e' }, { 'x-forwarded-for': '192.0.2.1' }),
    await post('/v1/p', {}, { 'x-forwarded-for': '192.0.2.2' }),
    await post('/v1/batch', { batch: [{ type: 'page' }] }),
    await app.inject({ method: 'OPTIONS', url: '/v1/t' }),
    await post('/v1/events', {}),
    await post('/v1/t?x=1', { event: 'e' }, { 'x-forwarded-for': '192.0.2.3' }),
    await post('/v1/track', { event: 'e' }, { forwarded: 'for=192.0.2.4' })
  ].map(({ statusCode }) => statusCode)
  t.same(statuses, [200, 200, 200, 400, 401, 429, 429])
})

t.test('behind a trusted proxy each client has its own bucket, and clients of one IPv6 /64 network share a ' +
  'bucket', async (t) => {
  const { post } = await gateway(t, {
    server: { trustProxy: true },
    ingestion: { rateLimit: { max: 2, timeWindow: 60_000 } }
  })
  const from = async (ip: string): Promise<number> =>
    (await post('/v1/t', { event: 'e' }, { 'x-forwarded-for': ip })).statusCode
  t.same([await from('2001:db8:0:1::1'), await from('2001:db8:0:1::2'), await from('2001:db8:0:1:ffff::3')], [200, 200,
    429])
  t.same([await from('2001:db8:0:2::1'), await from('192.0.2.1'), await from('192.0.2.2')], [200, 200, 200])
})

t.test('by default most of 10 000 random keys are 429, and the number of look-ups in the store is ' +
  'limited', async (t) => {
  const { post, store, stored } = await gateway(t)
  let asked = 0
  const resolve = store.sources.resolve.bind(store.sources)
  Object.defineProperty(store.sources, 'resolve', {
    value: (key: string) => {
      asked++
      return resolve(key)
    }
  })
  const statuses = new Map<number, number>()
  for (let round = 0; round < 100; round++) {
    const replies = await Promise.all(
      Array.from({ length: 100 }, () =>
        post('/v1/t', { event: 'e' }, { authorization: `Bearer ${generatePipelineKey('live')}` }))
    )
    for (const { statusCode } of replies) statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
  }
  t.same([...statuses.keys()].sort(), [401, 429])
  t.equal(statuses.get(401), asked)
  t.ok(asked < 2_500, `${asked} look-ups`)
  t.equal((await stored()).length, 0)
})

t.test('the default limit is 5 000, and accepted requests have RateLimit headers only by option', async (t) => {
  const shown = { addHeadersOnExceeding: { 'ratelimit-limit': true, 'ratelimit-remaining': true } }
  for (
    const [rateLimit, limit, remaining] of [[false, undefined, undefined], [{}, undefined, undefined], [shown, '5000',
      '4999']] as const
  ) {
    const { post } = await gateway(t, { ingestion: { rateLimit } })
    const { headers } = await post('/v1/t', { event: 'e' })
    t.same([headers['ratelimit-limit'], headers['ratelimit-remaining']], [limit, remaining])
  }
})
