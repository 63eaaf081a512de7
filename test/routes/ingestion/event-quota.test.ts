import Fastify from 'fastify'
import t from 'tap'

import eventSink from '../../../plugins/event-sink/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import ingestion from '../../../routes/ingestion/index.js'
import type { IngestionOptions } from '../../../routes/ingestion/index.js'
import { gateway } from '../../helpers/gateway.js'
import type { Gateway } from '../../helpers/gateway.js'
import { logReader } from '../../helpers/log-reader.js'
import { SHOP } from '../../helpers/source.js'
import { BOTS } from '../../helpers/user-agents.js'

const event = (fields = {}) => ({ event: 'Order', anonymousId: 'a', ...fields })
const batchOf = (events: number) => ({ batch: Array.from({ length: events }, () => event({ type: 'track' })) })
const QUOTA = 'The event quota of this source is used up'

/** Stops tests from passing midnight between two requests. */
const NOW = Date.now()
const fixed: IngestionOptions = { eventQuota: { now: () => NOW } }

function statuses (replies: ReadonlyArray<{ statusCode: number }>, statusCode: number): number {
  return replies.filter((reply) => reply.statusCode === statusCode).length
}

async function sendOneByOne ({ post }: Gateway, events: number): Promise<number[]> {
  const seen: number[] = []
  for (let at = 0; at < events; at++) seen.push((await post('/v1/t', event())).statusCode)
  return seen
}

t.test('exactly as many events as the daily quota are stored, and the others are 429 with Retry-After', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 20 } })
  const replies = await Promise.all(Array.from({ length: 50 }, () => gate.post('/v1/t', event())))
  t.equal(statuses(replies, 200), 20)
  t.equal(statuses(replies, 429), 30)
  t.equal((await gate.accepted()).length, 20)
  const refused = await gate.post('/v1/t', event())
  t.equal(refused.statusCode, 429)
  t.same(refused.json(), { error: { code: 'RATE_LIMITED', message: QUOTA } })
  const wait = Number(refused.headers['retry-after'])
  const midnight = Math.ceil((86_400_000 - NOW % 86_400_000) / 1000)
  t.equal(wait, Math.min(3_600, Math.max(1, midnight)), 'until the end of the day, at most an hour')
})

t.test('the monthly quota counts like the daily quota', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { monthlyQuota: 3 } })
  t.same(await sendOneByOne(gate, 5), [200, 200, 200, 429, 429])
})

t.test('a used quota is refused before the body is read', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 1 } })
  t.equal((await gate.post('/v1/t', '{"broken')).statusCode, 400)
  t.equal((await gate.post('/v1/t', event())).statusCode, 200)
  t.equal((await gate.post('/v1/t', '{"broken')).statusCode, 429)
  const pixel = await gate.app.inject({ url: '/v1/pixel/track', query: { wk: gate.key, e: 'Order', aid: 'a' } })
  t.equal(pixel.statusCode, 429)
})

t.test('a batch above the quota is refused whole, and a smaller batch still fits', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 10 } })
  const send = async (events: number) => (await gate.post('/v1/batch', batchOf(events))).statusCode
  t.same([await send(8), await send(3), await send(2), await send(1)], [200, 429, 200, 429])
  t.equal((await gate.accepted()).length, 10)
})

t.test('duplicates, invalid events and dropped bots do not count', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 3, bots: 'drop' } })
  for (let at = 0; at < 5; at++) t.equal((await gate.post('/v1/t', event({ messageId: 'm-1' }))).statusCode, 200)
  for (let at = 0; at < 5; at++) t.equal((await gate.post('/v1/t', { anonymousId: 'a' })).statusCode, 400)
  for (let at = 0; at < 5; at++) {
    const bot = { origin: SHOP, 'user-agent': BOTS.googlebot }
    t.equal((await gate.post('/v1/t', event(), bot)).statusCode, 200)
  }
  t.same(await sendOneByOne(gate, 3), [200, 200, 429])
})

t.test('a source without a quota, other sources, and "eventQuota: false" are not limited', async (t) => {
  const free = await gateway(t, { ingestion: fixed })
  t.same(await sendOneByOne(free, 5), Array(5).fill(200))
  const off = await gateway(t, { ingestion: { eventQuota: false }, source: { dailyQuota: 1 } })
  t.same(await sendOneByOne(off, 3), Array(3).fill(200))
})

t.test('after a restart the events that were stored before count', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 4 } })
  await sendOneByOne(gate, 3)
  const next = Fastify()
  t.teardown(() => next.close())
  await next.register(tokenStore, { store: { ...gate.store, close: async () => {} }, sweepEvery: 0 })
  await next.register(eventSink, { sink: { ...gate.sink, close: async () => {} }, sweepEvery: 0 })
  await next.register(ingestion, { rateLimit: false, ...fixed })
  const send = async () =>
    (await next.inject({
      method: 'POST', url: '/v1/t', headers: { authorization: `Bearer ${gate.key}` }, payload: event()
    })).statusCode
  t.same([await send(), await send()], [200, 429])
})

t.test('a raised quota accepts events at once', async (t) => {
  const gate = await gateway(t, { ingestion: fixed, source: { dailyQuota: 1 } })
  t.same(await sendOneByOne(gate, 2), [200, 429])
  await gate.store.sources.update('acme', gate.source.id, { dailyQuota: 2 })
  t.same(await sendOneByOne(gate, 2), [200, 429])
})

t.test('events are accepted and a warning is logged while their number cannot be read', async (t) => {
  const log = logReader()
  const gate = await gateway(t, {
    ingestion: fixed,
    source: { dailyQuota: 1 },
    server: { logger: { level: 'warn', stream: log.stream } },
    before: (app) => {
      app.addHook('onReady', async () => {
        const { counts } = app.eventSink
        if (counts !== undefined) counts.totals = async () => { throw new Error('no disk') }
      })
    }
  })
  await gate.app.ready()
  t.same(await sendOneByOne(gate, 3), [200, 200, 200])
  t.equal(log.lines().filter(({ msg }) => String(msg).includes('could not be read')).length, 1)
})

t.test('an invalid eventQuota stops the start', async (t) => {
  for (const eventQuota of [true, null, { refreshEvery: 0 }, { refreshEvery: 60_001 }, { now: 5 }, { max: 1 }]) {
    await t.rejects(gateway(t, { ingestion: { eventQuota: eventQuota as never } }), { code: 'INVALID_OPTIONS' },
      JSON.stringify(eventQuota))
  }
})
