import t from 'tap'
import type { Test } from 'tap'

import { gateway } from '../../../helpers/gateway.js'
import type { Gateway, GatewayOptions } from '../../../helpers/gateway.js'
import { keptEvents, keptNow } from '../../../helpers/refused-events.js'
import { webhookGateway } from '../../../helpers/webhook-gateway.js'

const NEW = 'https://new.example.com'
const VISITOR = '11111111-1111-4111-8111-111111111111'
const ORG = 'acme'

async function keeping (t: Test, options: GatewayOptions = {}) {
  return await gateway(t, { ...options, source: { keepRefused: true, ...options.source } })
}

const replay = async ({ app }: Pick<Gateway, 'app'>, ids: readonly string[]) => await app.eventReplay.replay(ORG, ids)
const allow = async ({ store, source }: Gateway, domains = [NEW]) =>
  await store.sources.update(ORG, source.id, { domains })

t.test('an event of a refused origin is stored once the domain is allowed, as if it was accepted then', async (t) => {
  const made = await keeping(t)
  const headers = { origin: NEW, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', cookie: `_dfid=${VISITOR}` }
  const body = { event: 'Bought', messageId: 'm-1', properties: { total: 1 }, writeKey: made.key }
  t.equal((await made.post('/v1/t', body, headers)).statusCode, 403)
  const [{ id = '', receivedAt = 0 } = {}] = await keptEvents(made, 1)
  t.match(await replay(made, [id]), [{ id, outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED', events: { stored: 0 } }])
  t.same(await made.accepted(), [])
  await allow(made)
  t.match(await replay(made, [id]), [{ id, outcome: 'replayed', code: null, events: { stored: 1, duplicate: 0 } }])
  const [replayed] = await made.accepted()
  t.equal((await made.post('/v1/t', { ...body, messageId: 'm-2' }, headers)).statusCode, 200)
  const [, direct] = (await made.accepted()).sort((a, b) => a.messageId < b.messageId ? -1 : 1)
  t.equal(replayed?.receivedAt, receivedAt)
  t.same(
    { ...replayed, payload: '', receivedAt: 0, timestamp: 0, messageId: '', search: null, additions: '' },
    { ...direct, payload: '', receivedAt: 0, timestamp: 0, messageId: '', search: null, additions: '' }
  )
  t.match(replayed?.additions, `"anonymousId":"${VISITOR}"`)
})

t.test('a replay that is repeated stores nothing again, also at the same time', async (t) => {
  const made = await keeping(t)
  await made.post('/v1/t', { event: 'A' }, { origin: NEW })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await allow(made)
  const outcomes = await Promise.all(Array.from({ length: 10 }, async () => (await replay(made, [id]))[0]?.outcome))
  t.equal(outcomes.filter((outcome) => outcome === 'replayed').length, 1)
  t.match(await replay(made, [id]), [{ outcome: 'already_replayed', events: { stored: 0 } }])
  t.equal((await made.accepted()).length, 1)
  t.type((await keptNow(made))[0]?.replayedAt, 'number')
})

t.test('a replay refuses repeated properties, also of bodies and events from which the key is removed', async (t) => {
  const made = await keeping(t)
  const event = `{"type":"track","event":"A","writeKey":"${made.key}"}`
  for (const body of [
    `{"event":"A","writeKey":"${made.key}","writeKey":"${made.key}"}`,
    `{"event":"A","event":"B","writeKey":"${made.key}"}`
  ]) t.equal((await made.post('/v1/t', body)).statusCode, 400)
  t.equal((await made.post('/v1/batch', `{"batch":[1],"batch":[${event}]}`)).statusCode, 400)
  await made.post('/v1/batch', `{"batch":[${event.replace('}', `,"writeKey":"${made.key}"}`)}]}`)
  const kept = await keptEvents(made, 4)
  t.notOk(JSON.stringify(kept).includes(made.key))
  const results = await replay(made, kept.map(({ id }) => id))
  t.same(results.map(({ outcome, code }) => [outcome, code]), kept.map(() => ['still_refused', 'INVALID_REQUEST']))
  t.same(await made.accepted(), [])
})

t.test('an event that its client sent again is a duplicate', async (t) => {
  const made = await keeping(t)
  const body = { event: 'A', messageId: 'm-1' }
  await made.post('/v1/t', body, { origin: NEW })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await allow(made)
  await made.post('/v1/t', body, { origin: NEW })
  t.match(await replay(made, [id]), [{ outcome: 'replayed', events: { stored: 0, duplicate: 1 } }])
  t.equal((await made.accepted()).length, 1)
})

t.test('a replay that ended after the event was stored stores it once', async (t) => {
  const made = await keeping(t)
  await made.post('/v1/t', { event: 'A' }, { origin: NEW })
  const [event] = await keptEvents(made, 1)
  if (event === undefined) throw new Error('the event is kept')
  await allow(made)
  const old = { ...event, id: 'ref_old', receivedAt: event.receivedAt - 50 * 3_600_000 }
  const { refusedEvents } = made.store
  await refusedEvents.append([old], { maxRows: 10, maxBytes: 1_000_000 })
  const settle = refusedEvents.settle.bind(refusedEvents)
  refusedEvents.settle = async () => { throw new Error('the process ended') }
  await t.rejects(replay(made, [old.id]))
  refusedEvents.settle = settle
  t.equal((await made.accepted()).length, 1)
  t.match(await replay(made, [old.id]), [{ outcome: 'replayed', events: { stored: 0, duplicate: 1 } }])
  t.equal((await made.accepted()).length, 1)
})

t.test('a batch is replayed as a batch: valid events are stored, others are kept separately', async (t) => {
  const made = await keeping(t)
  const batch = [{ type: 'track', event: 'A' }, { type: 'track' }, { type: 'page', name: 'B', messageId: 'm-3' }]
  await made.post('/v1/batch', { context: { locale: 'en' }, batch }, { origin: NEW })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await allow(made)
  t.match(await replay(made, [id]), [{ outcome: 'replayed', events: { stored: 2, refused: 1 } }])
  t.match(await made.stored(), [{ event: 'A', context: { locale: 'en' } }, { name: 'B', messageId: 'm-3' }])
  const parts = (await keptNow(made)).filter(({ replayedAt }) => replayedAt === null)
  t.match(parts, [{ code: 'INVALID_REQUEST', payload: '{"context":{"locale":"en"},"batch":[{"type":"track"}]}' }])
  t.match(await replay(made, [parts[0]?.id ?? '']), [{ outcome: 'still_refused', code: 'INVALID_REQUEST' }])
})

t.test('a batch whose invalid events would multiply its long context stays refused as a whole', async (t) => {
  const made = await keeping(t)
  const body = (events: number) => ({
    context: { page: { title: 'x'.repeat(40_000) } },
    batch: [{ type: 'track', event: 'Valid' }, ...Array.from({ length: events }, () => ({ type: 'track', event: 1 }))]
  })
  for (const events of [5, 60]) await made.post('/v1/batch', body(events), { origin: NEW })
  const [long, short] = (await keptEvents(made, 2)).sort((a, b) => b.bytes - a.bytes)
  await allow(made)
  t.match(await replay(made, [long?.id ?? '']), [
    { outcome: 'still_refused', code: 'INVALID_REQUEST', events: { stored: 0, refused: 60 } }
  ])
  t.same(await made.accepted(), [])
  t.equal((await keptNow(made)).length, 2)
  t.match(await replay(made, [short?.id ?? '']), [{ outcome: 'replayed', events: { stored: 1, refused: 5 } }])
  t.equal((await keptNow(made)).length, 7)
})

t.test('a pixel is replayed once the source accepts its type', async (t) => {
  const made = await keeping(t)
  await made.app.inject({ url: `/v1/pixel/identify?wk=${made.key}&uid=user-1&t.plan=pro` })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  t.match(await replay(made, [id]), [{ outcome: 'still_refused', code: 'FORBIDDEN' }])
  await made.store.sources.update(ORG, made.source.id, { pixelTypes: ['identify'] })
  t.match(await replay(made, [id]), [{ outcome: 'replayed' }])
  t.match(await made.stored(), [{ type: 'identify', userId: 'user-1', traits: { plan: 'pro' } }])
})

t.test('an unsigned event is accepted once the source does not require a signature', async (t) => {
  const made = await keeping(t, { source: { requireSignature: 'always' } })
  await made.post('/v1/t', { event: 'A' })
  await made.post('/v1/events', { type: 'track', event: 'B', userId: 'u' })
  const kept = await keptEvents(made, 2)
  const byRoute = (path: string) => kept.filter((event) => event.path === path).map(({ id }) => id)
  t.match(await replay(made, byRoute('/v1/t')), [{ code: 'SIGNATURE_REQUIRED' }])
  await made.store.sources.update(ORG, made.source.id, { requireSignature: 'never' })
  t.match(await replay(made, byRoute('/v1/t')), [{ outcome: 'replayed' }])
  t.match(await replay(made, byRoute('/v1/events')), [{ code: 'SIGNATURE_REQUIRED' }], 'this route always requires it')
})

t.test('a request with an invalid signature is never accepted', async (t) => {
  const made = await keeping(t)
  await made.post('/v1/t', { event: 'A' }, { 'x-datafly-signature': `sha256=${'0'.repeat(64)}` })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  t.match(await replay(made, [id]), [{ outcome: 'still_refused', code: 'INVALID_SIGNATURE' }])
  t.same(await made.accepted(), [])
})

t.test('a verified signature still counts, and the address that the event contains', async (t) => {
  const made = await keeping(t)
  const bad = { event: 'A', userId: 'u', context: { ip: '192.0.2.7' }, timestamp: '2999-01-01' }
  t.equal((await made.signed('/v1/t', bad)).statusCode, 400)
  const [event] = await keptEvents(made, 1)
  if (event === undefined) throw new Error('the event is kept')
  t.match(await replay(made, [event.id]), [{ outcome: 'still_refused', code: 'INVALID_REQUEST', reason: /timestamp/ }])
  const payload = event.payload.replace('2999', '2025')
  await made.store.refusedEvents.append([{ ...event, id: 'ref_mended', payload }], { maxRows: 10, maxBytes: 1_000_000 })
  t.match(await replay(made, ['ref_mended']), [{ outcome: 'replayed' }])
  t.match(await made.accepted(), [{ authMethod: 'signature', ip: '192.0.2.7' }])
})

t.test('a delivery is mapped again by the present mapping of its webhook', async (t) => {
  const made = await webhookGateway(t, 'custom', { source: { keepRefused: true } })
  t.equal((await made.deliver({ kind: 'order', user: 'u-1' })).statusCode, 400)
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  t.match(await replay(made, [id]), [{ outcome: 'still_refused' }])
  await made.store.webhooks.update(ORG, made.source.id, made.webhook.id, { mapping: { event: '$.kind', userId: '$.user' } })
  t.match(await replay(made, [id]), [{ outcome: 'replayed', events: { stored: 1 } }])
  t.match(await made.accepted(), [{ type: 'track', authMethod: 'signature', messageId: /^signed-[0-9a-f]{40}-0$/ }])
})

t.test('events of bots are dropped if the source drops them', async (t) => {
  const made = await keeping(t, { source: { bots: 'drop' } })
  await made.post('/v1/t', { event: 'A' }, { origin: NEW, 'user-agent': 'Googlebot/2.1' })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await allow(made)
  t.match(await replay(made, [id]), [{ outcome: 'replayed', events: { stored: 0, dropped: 1 } }])
  t.same(await made.accepted(), [])
})

t.test('a disabled source accepts nothing, and the events of other organisations do not exist', async (t) => {
  const made = await keeping(t)
  await made.post('/v1/t', { event: 'A' }, { origin: NEW })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await made.store.sources.update(ORG, made.source.id, { domains: [NEW], enabled: false })
  t.match(await replay(made, [id]), [{ outcome: 'still_refused', code: 'INVALID_PIPELINE_KEY' }])
  t.match(await made.app.eventReplay.replay('other', [id, 'ref_none']), [{ outcome: 'not_found' }, { outcome: 'not_found' }])
})

t.test('while the sink is unavailable a replay fails, and can be repeated at once', async (t) => {
  const made = await keeping(t)
  await made.post('/v1/t', { event: 'A' }, { origin: NEW })
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await allow(made)
  const write = made.sink.write.bind(made.sink)
  made.sink.write = async () => { throw Object.assign(new Error('down'), { code: 'UNAVAILABLE' }) }
  await t.rejects(replay(made, [id]))
  made.sink.write = write
  t.match(await replay(made, [id]), [{ outcome: 'replayed', events: { stored: 1 } }])
  t.equal((await made.accepted()).length, 1)
})
