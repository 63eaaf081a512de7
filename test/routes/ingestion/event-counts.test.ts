import t from 'tap'

import { memorySink } from '../../../plugins/event-sink/index.js'
import { eventCounts } from '../../../lib/counts/event-counts.js'
import { webhookGateway } from '../../helpers/webhook-gateway.js'
import { gateway } from '../../helpers/gateway.js'
import type { Gateway } from '../../helpers/gateway.js'
import { SHOP } from '../../helpers/source.js'
import { BOTS, BROWSERS } from '../../helpers/user-agents.js'

const EVENT = { event: 'e', userId: 'u' }
const ALL = { from: 0, to: 8e12 }

/** Returns the numbers of events of the gateway's source by outcome. */
async function counted ({ app, source }: Gateway): Promise<Record<string, number>> {
  await app.outcomeCounts.flush()
  const totals = await eventCounts(app.tokenStore.counts, app.eventSink).totals('acme', { ...ALL, id: source.id })
  return Object.fromEntries(totals.map(({ outcome, events }) => [outcome, events]))
}

t.test('accepted events, repeats and refusals by code are counted', async (t) => {
  const gate = await gateway(t)
  const event = { ...EVENT, messageId: 'one' }
  await gate.post('/v1/t', event)
  await gate.post('/v1/t', event)
  await gate.post('/v1/t', EVENT, { origin: 'https://evil.example' })
  await gate.post('/v1/t', { event: 5 })
  await gate.post('/v1/t', '{"event')
  await gate.app.inject({ url: `/v1/t?wk=${gate.key}`, method: 'OPTIONS', headers: { origin: SHOP } })
  t.same(await counted(gate), {
    accepted: 1,
    deduplicated: 1,
    'refused:ORIGIN_NOT_ALLOWED': 1,
    'refused:INVALID_REQUEST': 1,
    'refused:INVALID_JSON': 1
  })
})

t.test('each event of a batch counts, and a refused batch counts once', async (t) => {
  const gate = await gateway(t)
  const valid = { type: 'track', ...EVENT }
  t.equal((await gate.post('/v1/batch', { batch: [valid, { type: 'track' }, valid, { type: 'no' }] })).statusCode, 200)
  t.equal((await gate.post('/v1/batch', { batch: [valid, valid] }, { origin: 'https://evil.example' })).statusCode, 403)
  t.same(await counted(gate), { accepted: 2, 'refused:INVALID_REQUEST': 2, 'refused:ORIGIN_NOT_ALLOWED': 1 })
})

t.test('events of bots that the source drops are counted as such', async (t) => {
  const gate = await gateway(t, { source: { bots: 'drop' } })
  const bot = { origin: SHOP, 'user-agent': Object.values(BOTS)[0] ?? '' }
  await gate.post('/v1/t', EVENT, bot)
  await gate.post('/v1/t', EVENT, { origin: SHOP, 'user-agent': Object.values(BROWSERS)[0] ?? '' })
  t.same(await counted(gate), { accepted: 1, bot: 1 })
})

t.test('a request whose key is unknown is counted for no source', async (t) => {
  const gate = await gateway(t)
  t.equal((await gate.post('/v1/t', EVENT, { authorization: 'Bearer dk_live_0123456789abcdef' })).statusCode, 401)
  t.same(await counted(gate), {})
})

t.test('events of a webhook are counted, and a refused delivery too', async (t) => {
  const gate = await webhookGateway(t, 'stripe')
  t.equal((await gate.deliver({ id: 'evt_1', type: 'charge.succeeded' })).statusCode, 200)
  t.equal((await gate.deliver({ id: 'evt_2' }, {}, { secret: 'another secret' })).statusCode, 401)
  t.same(await counted(gate), { accepted: 1, 'refused:INVALID_SIGNATURE': 1 })
})

t.test('a gateway counts what a sink without counts has confirmed, with bytes', async (t) => {
  const { counts, ...sink } = memorySink()
  const gate = await gateway(t, { sink })
  const payload = '{"event":"Größe","userId":"u"}'
  await gate.post('/v1/t', payload)
  await gate.post('/v1/t', payload)
  t.same(await counted(gate), { accepted: 2 })
  const [total] = await gate.store.counts.totals('acme', { ...ALL, kind: 'source' })
  t.equal(total?.bytes, 2 * Buffer.byteLength(payload))
  t.equal((await counts?.totals('acme', { ...ALL, kind: 'stored' }))?.length, 1, 'the hidden counts are not added')
})

t.test('a gateway counts nothing that a sink without counts has not confirmed', async (t) => {
  const { counts, ...sink } = memorySink({ capacity: 1 })
  const gate = await gateway(t, { sink })
  for (const status of [200, 503]) t.equal((await gate.post('/v1/t', EVENT)).statusCode, status)
  t.same(await counted(gate), { accepted: 1, 'refused:UNAVAILABLE': 1 })
})
