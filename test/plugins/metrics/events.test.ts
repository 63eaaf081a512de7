import t from 'tap'

import metrics from '../../../plugins/metrics/index.js'
import { memorySink } from '../../../plugins/event-sink/index.js'
import type { ReadableEventSink } from '../../../contracts/event-sink.js'
import { gateway } from '../../helpers/gateway.js'
import { scraped } from '../../helpers/metrics.js'
import { SHOP } from '../../helpers/source.js'
import { BOTS } from '../../helpers/user-agents.js'

const EVENTS = 'gatehouse_events_total'
const BOT = Object.values(BOTS)[0] ?? ''
const event = (messageId: string) => ({ event: 'e', userId: 'u', messageId })
const track = (messageId: string) => ({ type: 'track', ...event(messageId) })

t.test('accepted, repeated, dropped and refused events are counted once each, as they are stored', async (t) => {
  const { app, post, accepted } = await gateway(t, {
    before: (app) => app.register(metrics),
    source: { bots: 'drop' }
  })
  await post('/v1/t', event('a'))
  await post('/v1/t', event('a'))
  await post('/v1/batch', { batch: [track('b'), track('b'), track('c'), { type: 'track', userId: 5 }, { type: 'nope' }] })
  await post('/v1/t', event('bot'), { origin: SHOP, 'user-agent': BOT })
  await post('/v1/t', { event: 5 })
  await post('/v1/t', '{')
  await post('/v1/t', event('d'), { authorization: 'Bearer dk_unknown' })
  await app.inject({ method: 'OPTIONS', url: '/v1/t', headers: { origin: 'https://unknown.example' } })
  await app.inject('/d.js')

  const samples = await scraped(app)
  const sum = (labels: Record<string, string>) => samples.sum(EVENTS, labels)
  t.equal(sum({ outcome: 'accepted' }), 3)
  t.equal(sum({ outcome: 'accepted' }), (await accepted()).length)
  t.equal(sum({ outcome: 'deduplicated' }), 2)
  t.equal(sum({ outcome: 'bot' }), 1)
  t.equal(sum({ outcome: 'refused', code: 'INVALID_REQUEST' }), 3)
  t.equal(sum({ outcome: 'refused', code: 'INVALID_JSON' }), 1)
  t.equal(sum({ outcome: 'refused', code: 'INVALID_PIPELINE_KEY' }), 1)
  t.equal(sum({}), 11)
})

t.test('a pixel counts as an event, and refused preflights do not', async (t) => {
  const { app, key } = await gateway(t, {
    before: (app) => app.register(metrics),
    source: { pixelTypes: ['track'] }
  })
  t.equal((await app.inject(`/v1/pixel/track?wk=${key}&e=e&uid=u`)).statusCode, 200)
  await app.inject('/v1/pixel/track?wk=dk_none&e=e&uid=u')
  const preflight = { origin: 'https://unknown.example', 'access-control-request-method': 'POST' }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/v1/t', headers: preflight })).statusCode, 403)
  const samples = await scraped(app)
  t.equal(samples.sum(EVENTS, { outcome: 'accepted' }), 1)
  t.equal(samples.sum(EVENTS, { outcome: 'refused' }), 1)
  t.equal(samples.sum('gatehouse_refusals_total'), 2)
})

t.test('the events of a sink without counters are counted when it has confirmed them', async (t) => {
  const { load: _, ...plain } = memorySink()
  let isFull = false
  const sink: ReadableEventSink = {
    ...plain,
    async write (events) {
      if (isFull) throw new Error('full')
      await plain.write(events)
    }
  }
  const { app, post } = await gateway(t, { sink, before: (app) => app.register(metrics) })
  await post('/v1/batch', { batch: [track('a'), track('b')] })
  isFull = true
  t.equal((await post('/v1/t', event('c'))).statusCode, 500)
  const samples = await scraped(app)
  t.equal(samples.sum(EVENTS, { outcome: 'accepted' }), 2)
  t.equal(samples.sum(EVENTS, { outcome: 'refused', code: 'INTERNAL_ERROR' }), 1)
})
