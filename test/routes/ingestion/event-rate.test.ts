import Fastify from 'fastify'
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'

import ingestion from '../../../routes/ingestion/index.js'
import type { IngestionOptions } from '../../../routes/ingestion/index.js'
import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { failingSink } from '../../helpers/failing-sink.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { SHOP, makeSource } from '../../helpers/source.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'

const EVENT = { event: 'e', userId: 'u' }
const batchOf = (count: number) => ({ batch: Array.from({ length: count }, () => ({ type: 'page' })) })

function clock (
  eventRate: { max?: number } = {}
): { ingestion: IngestionOptions, advance(milliseconds: number): void } {
  let time = 0
  return {
    ingestion: { eventRate: { now: () => time, ...eventRate } },
    advance: (milliseconds) => {
      time += milliseconds
    }
  }
}

function limits ({ headers }: LightMyRequestResponse): unknown[] {
  return ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => headers[name])
}

t.test('a source sends a thousand events per second, further events are 429 with the wait, and are accepted after ' +
  'it', async (t) => {
  const { ingestion, advance } = clock()
  const { post, accepted } = await gateway(t, { ingestion })
  t.equal((await post('/v1/batch', batchOf(500))).statusCode, 200)
  t.equal((await post('/v1/batch', batchOf(499))).statusCode, 200)
  const last = await post('/v1/batch', batchOf(500))
  t.equal(last.statusCode, 200, 'one event remained, and a batch is not split')
  t.same(limits(last), [undefined, undefined, undefined, undefined])
  for (const [path, body] of [['/v1/t', EVENT], ['/v1/batch', batchOf(1)], ['/v1/page', {}]] as const) {
    const refused = await post(path, body)
    t.equal(refused.statusCode, 429)
    t.equal(codeOf(refused), 'RATE_LIMITED')
    t.same(limits(refused), ['1', '1000', '0', '2'])
  }
  advance(499)
  t.equal((await post('/v1/t', EVENT)).statusCode, 429)
  advance(1)
  t.equal((await post('/v1/t', EVENT)).statusCode, 200)
  t.equal((await post('/v1/t', EVENT)).statusCode, 429)
  t.equal((await accepted()).length, 1_500)
})

t.test('the limit of a source replaces the default limit, also with eventRate: false', async (t) => {
  for (const [eventRate, expected] of [[{ max: 1 }, 3], [{}, 3], [false, 3]] as const) {
    const { post } = await gateway(t, { ingestion: { eventRate }, source: { rateLimit: 3 } })
    t.equal((await post('/v1/batch', batchOf(expected + 9))).statusCode, 200)
    const refused = await post('/v1/t', EVENT)
    t.equal(refused.statusCode, 429)
    t.equal(refused.headers['ratelimit-limit'], '3')
  }
  const free = await gateway(t, { ingestion: { eventRate: false } })
  for (let round = 0; round < 4; round++) t.equal((await free.post('/v1/batch', batchOf(500))).statusCode, 200)
})

t.test('old and new key of a source share its limit, and another source has its own limit', async (t) => {
  const { ingestion } = clock({ max: 2 })
  const { post, store, source } = await gateway(t, { ingestion })
  const pipelineKey = generatePipelineKey('live')
  await store.sources.rotateKey('acme', source.id, { pipelineKey, overlapUntil: Date.now() + 60_000 })
  const other = await makeSource(store)
  const by = async (key?: string) =>
    (await post('/v1/t', EVENT, key === undefined ? {} : { authorization: `Bearer ${key}` })).statusCode
  t.same([await by(), await by(pipelineKey), await by(), await by(pipelineKey), await by(other.key)], [200, 200, 429,
    429, 200])
})

t.test('a key in the body or in the query is limited too, before its events are checked', async (t) => {
  const { ingestion } = clock({ max: 2 })
  const { app, key, accepted } = await gateway(t, { ingestion })
  const send = async (url: string, payload: object, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url,
      payload: JSON.stringify(payload),
      headers: { 'content-type': 'text/plain', ...headers }
    })
  t.equal((await send('/v1/batch', { writeKey: key, ...batchOf(2) })).statusCode, 200)
  for (
    const [url, body] of [['/v1/t', { ...EVENT, writeKey: key }], ['/v1/batch', { writeKey: key, ...batchOf(0) }], [
      `/v1/t?wk=${key}`,
      EVENT
    ]] as const
  ) {
    const refused = await send(url, body, { origin: SHOP })
    t.equal(refused.statusCode, 429, url)
    t.equal(codeOf(refused), 'RATE_LIMITED')
    t.same(limits(refused), ['1', '2', '0', '1'])
    t.equal(refused.headers['access-control-allow-origin'], SHOP)
  }
  t.equal((await accepted()).length, 2)
})

t.test('a page of the source can read the wait, and a page of another origin is 403', async (t) => {
  const { ingestion } = clock({ max: 1 })
  const { post } = await gateway(t, { ingestion })
  await post('/v1/t', EVENT)
  const refused = await post('/v1/t', EVENT, { origin: SHOP })
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, {
    vary: 'Origin',
    'access-control-allow-origin': SHOP,
    'access-control-expose-headers': /retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset/
  })
  const foreign = await post('/v1/t', EVENT, { origin: 'https://evil.test' })
  t.equal(foreign.statusCode, 403)
  t.equal(foreign.headers['access-control-allow-origin'], undefined)
  t.equal(
    (await post('/v1/t', EVENT, { origin: SHOP, authorization: `Bearer ${generatePipelineKey('live')}` })).statusCode,
    401,
    'an unknown key has no bucket'
  )
})

t.test('refused events do not count, alone and in a batch', async (t) => {
  const { ingestion } = clock({ max: 3 })
  const { post, signed } = await gateway(t, { ingestion })
  for (let n = 0; n < 5; n++) {
    t.equal((await post('/v1/t', { userId: 'u' })).statusCode, 400)
    t.equal((await signed('/v1/t', EVENT, { 'x-datafly-signature': `sha256=${'0'.repeat(64)}` })).statusCode, 401)
    t.equal((await post('/v1/batch', { batch: [{ type: 'track' }, { type: 'no' }] })).json().rejected, 2)
  }
  t.same(
    (await post('/v1/batch', { batch: [{ type: 'page' }, { type: 'track' }, { type: 'page' }] })).json().accepted,
    2
  )
  t.equal((await post('/v1/t', EVENT)).statusCode, 200)
  t.equal((await post('/v1/t', EVENT)).statusCode, 429)
})

t.test('events whose write fails count against the limit', async (t) => {
  const sink = failingSink()
  const { ingestion, advance } = clock({ max: 2 })
  const { post } = await gateway(t, { sink, ingestion })
  sink.fail('refused')
  t.same([(await post('/v1/t', EVENT)).statusCode, (await post('/v1/t', EVENT)).statusCode,
    (await post('/v1/t', EVENT)).statusCode], [503, 503, 429])
  sink.heal()
  advance(500)
  t.equal((await post('/v1/t', EVENT)).statusCode, 200)
})

t.test('a 429 of the source limit contains the limit of the source and not the limit of the address', async (t) => {
  const { ingestion } = clock({ max: 1 })
  const rateLimit = {
    max: 50,
    timeWindow: 60_000,
    addHeadersOnExceeding: { 'ratelimit-limit': true, 'ratelimit-remaining': true, 'ratelimit-reset': true }
  }
  const { post } = await gateway(t, { ingestion: { ...ingestion, rateLimit } })
  t.equal((await post('/v1/t', EVENT)).headers['ratelimit-limit'], '50')
  t.same(limits(await post('/v1/t', EVENT)), ['1', '1', '0', '1'])
})

t.test('deliveries of webhooks count against the limit of their source', async (t) => {
  const { ingestion } = clock({ max: 2 })
  const { deliver, post } = await webhookGateway(t, 'custom', { ingestion })
  const delivery = { event: 'Paid', userId: 'u' }
  t.same([(await deliver(delivery)).statusCode, (await post('/v1/t', EVENT)).statusCode], [200, 200])
  const refused = await deliver({ ...delivery, n: 2 })
  t.equal(refused.statusCode, 429)
  t.equal(codeOf(refused), 'RATE_LIMITED')
  t.equal(refused.headers['retry-after'], '1')
})

t.test('a pixel above the limit is 429 with the image', async (t) => {
  const { ingestion } = clock({ max: 1 })
  const { app, key } = await gateway(t, { ingestion })
  const url = `/v1/pixel/page?wk=${key}`
  t.equal((await app.inject(url)).statusCode, 200)
  const refused = await app.inject(url)
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['content-type'], 'image/gif')
  t.same(limits(refused), ['1', '1', '0', '1'])
})

t.test('an invalid eventRate stops the start', async (t) => {
  for (const eventRate of [true, null, { max: 0 }, { max: '1' }]) {
    await t.rejects(async () => Fastify().register(ingestion, { eventRate: eventRate as never }), {
      code: 'INVALID_OPTIONS'
    }, JSON.stringify(eventRate))
  }
})
