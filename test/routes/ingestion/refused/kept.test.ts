import { gzipSync } from 'node:zlib'

import t from 'tap'

import { codeOf, gateway } from '../../../helpers/gateway.js'
import { keptAtEnd, keptEvents } from '../../../helpers/refused-events.js'
import { SHOP } from '../../../helpers/source.js'

const EVIL = 'https://evil.example.net'
const KEEP = { keepRefused: true }

t.test('without the setting of the source nothing is kept of a refused request', async (t) => {
  const made = await gateway(t)
  t.equal((await made.post('/v1/t', { event: 'A' }, { origin: EVIL })).statusCode, 403)
  t.equal((await made.post('/v1/t', { event: 1 })).statusCode, 400)
  t.equal((await made.post('/v1/batch', { batch: [{ type: 'track' }] })).statusCode, 200)
  t.same(await keptAtEnd(made), [])
})

t.test('with refusedEvents: false nothing is kept for any source', async (t) => {
  const made = await gateway(t, { source: KEEP, ingestion: { refusedEvents: false } })
  t.equal((await made.post('/v1/t', { event: 'A' }, { origin: EVIL })).statusCode, 403)
  t.same(await keptAtEnd(made), [])
})

t.test('an event of a refused origin is kept with all that its replay needs', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const cookie = '_dfid=11111111-1111-4111-8111-111111111111; session=secret'
  const reply = await made.post('/v1/t?q=private', '{"event":"Bought","messageId":"m-1","properties":{"total":1.0}}', {
    origin: EVIL, cookie, 'user-agent': 'Browser'
  })
  t.equal(codeOf(reply), 'ORIGIN_NOT_ALLOWED')
  const [event] = await keptEvents(made, 1)
  t.match(event, {
    id: /^ref_[\w-]{24}$/,
    orgId: 'acme',
    sourceId: made.source.id,
    code: 'ORIGIN_NOT_ALLOWED',
    reason: 'the origin "https://evil.example.net" is not allowed',
    origin: EVIL,
    ip: '127.0.0.1',
    userAgent: 'Browser',
    path: '/v1/t?q=***',
    contentType: 'application/json',
    signed: false,
    type: 'track',
    event: 'Bought',
    messageId: 'm-1',
    payload: '{"event":"Bought","messageId":"m-1","properties":{"total":1.0}}',
    truncated: false,
    replayedAt: null,
    replay: { form: 'event', type: 'track', visitorId: '11111111-1111-4111-8111-111111111111', fromPage: true }
  })
  t.notMatch(JSON.stringify(event), /session|private/)
  t.same(await made.accepted(), [])
})

t.test('the response to a refused origin does not depend on the setting', async (t) => {
  const replies = await Promise.all([false, true].map(async (keepRefused) => {
    const { post } = await gateway(t, { source: { keepRefused } })
    const { statusCode, headers, body } = await post('/v1/t', { event: 'A' }, { origin: EVIL })
    return { statusCode, body, headers: { ...headers, date: '', 'x-request-id': '' } }
  }))
  t.equal(replies[0]?.statusCode, 403)
  t.same(replies[0], replies[1])
  t.notOk(Object.keys(replies[1]?.headers ?? {}).some((name) => name.startsWith('access-control')))
})

t.test('a compressed body of a refused origin is kept as text', async (t) => {
  const made = await gateway(t, { source: KEEP })
  await made.post('/v1/t', gzipSync('{"event":"A"}'), { origin: EVIL, 'content-encoding': 'gzip' })
  const [event] = await keptEvents(made, 1)
  t.equal(event?.payload, '{"event":"A"}')
  t.ok(event?.replay)
})

t.test('a body that violates its schema is kept with the field', async (t) => {
  const made = await gateway(t, { source: KEEP })
  t.equal(codeOf(await made.post('/v1/p', { name: 5 }, { origin: SHOP })), 'INVALID_REQUEST')
  const [event] = await keptEvents(made, 1)
  t.match(event, { code: 'INVALID_REQUEST', reason: /^\/name must be string/, payload: '{"name":5}', type: 'page' })
})

t.test('a timestamp that is not valid is kept with its event', async (t) => {
  const made = await gateway(t, { source: KEEP })
  t.equal(codeOf(await made.post('/v1/t', { event: 'A', timestamp: 'yesterday' })), 'INVALID_REQUEST')
  t.match((await keptEvents(made, 1))[0], { reason: /timestamp/, event: 'A' })
})

for (const [name, body, payload] of [
  ['text that is not JSON', '{"event":', '{"event":'],
  ['a NUL character', '{"event":"a\u0000b"', '{"event":"a\u0000b"'],
  ['bytes that are not UTF-8', Buffer.from('{"event":"\xff"}', 'latin1'), '{"event":"\ufffd"}'],
  ['an empty body', '', '']
] as const) {
  t.test(`${name} is kept as text`, async (t) => {
    const made = await gateway(t, { source: KEEP })
    t.equal(codeOf(await made.post('/v1/t', body)), 'INVALID_JSON')
    t.match((await keptEvents(made, 1))[0], { code: 'INVALID_JSON', payload, truncated: false, replay: null })
  })
}

t.test('text that is not UTF-8 is kept but cannot be replayed', async (t) => {
  const made = await gateway(t, { source: KEEP })
  await made.post('/v1/t', Buffer.from('{"event":"\xff"}', 'latin1'))
  t.equal((await keptEvents(made, 1))[0]?.replay, null)
})

t.test('each refused event of a batch is kept with the properties that its batch shares', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const reply = await made.post('/v1/batch', {
    context: { locale: 'en' },
    sentAt: '2026-01-01T00:00:00.000Z',
    batch: [
      { type: 'track', event: 'Good', messageId: 'good' },
      { type: 'track', messageId: 'bad-1' },
      { type: 'page', timestamp: 'never', messageId: 'bad-2' }
    ]
  })
  t.match(reply.json(), { accepted: 1, rejected: 2 })
  const kept = (await keptEvents(made, 2)).sort((a, b) => (a.replay?.index ?? 0) - (b.replay?.index ?? 0))
  t.match(kept, [
    {
      messageId: 'bad-1',
      type: 'track',
      replay: { form: 'batch', index: 1 },
      payload: '{"context":{"locale":"en"},"sentAt":"2026-01-01T00:00:00.000Z","batch":[{"type":"track","messageId":"bad-1"}]}'
    },
    { messageId: 'bad-2', type: 'page', replay: { form: 'batch', index: 2 }, reason: /timestamp/ }
  ])
})

t.test('a refused pixel is kept as the event of its query', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const url = `/v1/pixel/identify?wk=${made.key}&uid=user-1&t.plan=pro`
  t.equal((await made.app.inject({ url })).statusCode, 403)
  const [event] = await keptEvents(made, 1)
  t.match(event, {
    code: 'FORBIDDEN',
    type: 'identify',
    path: '/v1/pixel/identify?wk=***&uid=***&t.plan=***',
    payload: '{"userId":"user-1","traits":{"plan":"pro"}}',
    replay: { form: 'event', pixel: true, type: 'identify' }
  })
})

t.test('a request without a required signature is kept and may be replayed', async (t) => {
  const made = await gateway(t, { source: { ...KEEP, requireSignature: 'always' } })
  t.equal(codeOf(await made.post('/v1/t', { event: 'A' })), 'SIGNATURE_REQUIRED')
  t.match((await keptEvents(made, 1))[0], { code: 'SIGNATURE_REQUIRED', payload: '{"event":"A"}', replay: {} })
})

t.test('a request with an invalid signature is kept but cannot be replayed', async (t) => {
  const made = await gateway(t, { source: KEEP })
  const reply = await made.post('/v1/t', { event: 'A' }, { 'x-datafly-signature': `sha256=${'0'.repeat(64)}` })
  t.equal(codeOf(reply), 'INVALID_SIGNATURE')
  const [event] = await keptEvents(made, 1)
  t.match(event, { code: 'INVALID_SIGNATURE', payload: '{"event":"A"}', signed: false })
  t.equal(event?.replay, null)
})

t.test('a signed event that is refused counts as signed', async (t) => {
  const made = await gateway(t, { source: KEEP })
  t.equal(codeOf(await made.signed('/v1/t', { event: 'A' })), 'INVALID_REQUEST')
  t.match((await keptEvents(made, 1))[0], { signed: true, replay: { signatureDigest: /^[0-9a-f]{40}$/ } })
})

t.test('requests that are too large, too many or of an unknown key are not kept', async (t) => {
  const made = await gateway(t, { source: KEEP, ingestion: { bodyLimit: 1_000, eventLimit: 500 } })
  t.equal(codeOf(await made.post('/v1/t', { event: 'x'.repeat(600) })), 'PAYLOAD_TOO_LARGE')
  t.equal(codeOf(await made.post('/v1/t', { event: 'A' }, { authorization: 'Bearer dk_live_unknownkey' })),
    'INVALID_PIPELINE_KEY')
  t.equal(codeOf(await made.post('/v1/t', 'x', { 'content-type': 'application/xml' })), 'UNSUPPORTED_MEDIA_TYPE')
  t.same(await keptAtEnd(made), [])
})
