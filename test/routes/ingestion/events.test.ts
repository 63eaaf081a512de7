import t from 'tap'

import { UNAVAILABLE } from '../../../lib/errors.js'
import { memorySink } from '../../../plugins/event-sink/memory/index.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { SHOP } from '../../helpers/source.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const PATHS = [
  ['/v1/t', 'track'],
  ['/v1/p', 'page'],
  ['/v1/i', 'identify'],
  ['/v1/g', 'group'],
  ['/v1/track', 'track'],
  ['/v1/page', 'page'],
  ['/v1/identify', 'identify'],
  ['/v1/group', 'group'],
  ['/v1/screen', 'screen'],
  ['/v1/alias', 'alias'],
  ['/v1/s', 'screen'],
  ['/v1/a', 'alias']
] as const

t.test('each path accepts only its own event type and adds it to the event', async (t) => {
  const { post, stored } = await gateway(t)
  for (const [url, type] of PATHS) {
    for (const named of [{}, { type: null }, { type }]) {
      const response = await post(url, { ...named, event: 'e', userId: 'u' })
      t.equal(response.statusCode, 200, url)
      t.equal(response.body, '{"success":true}')
      t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
    }
    for (const other of ['track', 'page', 'Track', '', 1, ['track']].filter((other) => other !== type)) {
      const response = await post(url, { type: other, event: 'e' })
      t.equal(response.statusCode, 400, `${url} ${JSON.stringify(other)}`)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    }
  }
  t.same((await stored()).map(({ type }) => type), PATHS.flatMap(([, type]) => [type, type, type]))
})

t.test('/v1/events accepts any event type, but requires the type and a signature', async (t) => {
  const { post, signed, stored } = await gateway(t)
  for (const type of ['track', 'page', 'identify', 'group', 'screen', 'alias']) {
    t.equal((await signed('/v1/events', { type, event: 'e', userId: 'u' })).statusCode, 200, type)
  }
  const unsigned = await post('/v1/events', { type: 'track', event: 'e', userId: 'u' })
  t.equal(unsigned.statusCode, 401)
  t.equal(codeOf(unsigned), 'SIGNATURE_REQUIRED')
  for (
    const body of [{ event: 'e', userId: 'u' }, { type: 'click', userId: 'u' }, { type: 'track', userId: 'u' }, {
      type: 1,
      userId: 'u'
    }]
  ) {
    const response = await signed('/v1/events', body)
    t.equal(response.statusCode, 400)
    t.equal(codeOf(response), 'INVALID_REQUEST')
  }
  const stranger = await post('/v1/events', { type: 'track', event: 'e' }, { authorization: '' })
  t.equal(codeOf(stranger), 'INVALID_PIPELINE_KEY')
  t.equal((await stored()).length, 6)
})

t.test('an event is stored unchanged, with the data of the server in separate members', async (t) => {
  const { post, accepted, stored, source } = await gateway(t, { server: { trustProxy: true } })
  const text =
    '{ "event":"Order Done", "userId":"u1", "custom":{"n":1.0,"big":12345678901234567890}, "messageId":"m1", ' +
      '"timestamp":"2024-02-29T12:00:00.5+02:00" }'
  const before = Date.now()
  t.equal((await post('/v1/t', text, { 'user-agent': 'Shop/1.0', 'x-forwarded-for': '203.0.113.7' })).statusCode, 200)
  const [event] = await accepted()
  t.equal(event?.payload, text)
  t.match(event, {
    orgId: 'acme',
    sourceId: source.id,
    messageId: 'm1',
    type: 'track',
    authMethod: 'key',
    ip: '203.0.113.7',
    userAgent: 'Shop/1.0'
  })
  t.equal(event?.timestamp, Date.parse('2024-02-29T10:00:00.500Z'))
  t.equal(event?.additions, '{"environment":"live","type":"track"}')
  t.ok(event !== undefined && event.receivedAt >= before && event.receivedAt <= Date.now())
  t.match((await stored())[0], { event: 'Order Done', custom: { n: 1 }, timestamp: '2024-02-29T12:00:00.5+02:00' })
})

t.test('missing messageId, timestamp and environment are added', async (t) => {
  const { post, stored, accepted } = await gateway(t, { source: { environment: 'test' } })
  await post('/v1/t', { event: 'e', userId: 'u' })
  const [event] = await stored()
  t.match(event, { messageId: UUID, environment: 'test', type: 'track' })
  const [{ receivedAt, timestamp } = { receivedAt: 0, timestamp: 1 }] = await accepted()
  t.equal(event?.['timestamp'], new Date(receivedAt).toISOString())
  t.equal(timestamp, receivedAt)
})

t.test('members that are reserved for the server are overwritten', async (t) => {
  const { post, stored, source } = await gateway(t)
  const lies = {
    receivedAt: '1999',
    sourceId: 'x',
    ip: '1.1.1.1',
    userAgent: 'x',
    authMethod: 'signature',
    environment: 'test'
  }
  await post('/v1/t', { event: 'e', userId: 'u', ...lies })
  t.match((await stored())[0], {
    receivedAt: /^20/,
    sourceId: source.id,
    ip: '127.0.0.1',
    userAgent: 'lightMyRequest',
    authMethod: 'key',
    environment: 'live'
  })
})

t.test('a wrong type is 400 and is not coerced, and an unknown member is kept', async (t) => {
  const { post, stored } = await gateway(t)
  for (const field of ['userId', 'anonymousId', 'groupId', 'previousId', 'event', 'name', 'messageId', 'timestamp']) {
    const isId = field.endsWith('Id') && field !== 'messageId'
    for (const value of [isId ? 1.5 : 123, [], ['a'], true, {}]) {
      const response = await post('/v1/t', { event: 'e', [field]: value })
      t.equal(response.statusCode, 400, `${field} ${JSON.stringify(value)}`)
      t.match(response.json(), { error: { code: 'INVALID_REQUEST', details: [{ path: `/${field}` }] } })
    }
  }
  for (const field of ['properties', 'traits', 'context', 'integrations']) {
    for (const value of ['x', 1, [1], [null], true]) {
      const response = await post('/v1/t', { event: 'e', [field]: value })
      t.equal(response.statusCode, 400, `${field} ${JSON.stringify(value)}`)
    }
  }
  for (const body of [[], [{ event: 'e' }], 'text', 1, null, true]) {
    t.equal((await post('/v1/t', JSON.stringify(body))).statusCode, 400, JSON.stringify(body))
  }
  for (const body of [{}, { event: '' }, { event: null }, { type: 'track' }]) {
    t.equal((await post('/v1/t', body)).statusCode, 400, 'track requires event')
  }
  t.equal((await stored()).length, 0)
  t.equal((await post('/v1/t', { event: 'e', category: 7, sentAt: null, integrations: { All: true } })).statusCode, 200)
  t.match((await stored())[0], { category: 7, sentAt: null, integrations: { All: true } })
})

t.test('a null id is treated as an absent id', async (t) => {
  const { post, signed, stored } = await gateway(t)
  t.equal((await post('/v1/t', { event: 'e', userId: null, anonymousId: 'a' })).statusCode, 200)
  t.equal((await post('/v1/a', { userId: 'u', previousId: null })).statusCode, 200)
  t.equal((await post('/v1/g', { userId: null, anonymousId: null, groupId: null })).statusCode, 200)
  const nobody = await signed('/v1/t', { event: 'e', userId: null, anonymousId: null })
  t.equal(nobody.statusCode, 400)
  t.equal(codeOf(nobody), 'INVALID_REQUEST')
  t.match(await stored(), [{ userId: null, anonymousId: 'a' }, { previousId: null }, {
    groupId: null,
    anonymousId: UUID
  }])
})

t.test('ids above 512 and names above 1 000 characters are 400', async (t) => {
  const { post } = await gateway(t)
  for (
    const [field, length] of [['userId', 512], ['anonymousId', 512], ['groupId', 512], ['event', 1_000], ['name',
      1_000]] as const
  ) {
    t.equal((await post('/v1/t', { event: 'e', [field]: 'x'.repeat(length) })).statusCode, 200, field)
    t.equal((await post('/v1/t', { event: 'e', [field]: 'x'.repeat(length + 1) })).statusCode, 400, field)
  }
})

t.test('a messageId has 1 to 100 characters of any kind', async (t) => {
  const { post, stored } = await gateway(t)
  const good = ['a', 'x'.repeat(100), '😀'.repeat(100), "'", '"', '\n', ':', '\0', '\\u0000', '%', '*', '\ud800',
    "' or 1=1--", '__proto__']
  for (const messageId of good) {
    t.equal((await post('/v1/t', { event: 'e', messageId })).statusCode, 200, JSON.stringify(messageId))
  }
  for (const messageId of ['', 'x'.repeat(101), '😀'.repeat(101), 'x'.repeat(10_240)]) {
    t.equal((await post('/v1/t', { event: 'e', messageId })).statusCode, 400)
  }
  t.same((await stored()).map(({ messageId }) => messageId), good)
})

t.test('a repeated messageId is 200 and stored once, and an unsigned event does not suppress a signed ' +
  'event', async (t) => {
  const { post, signed, stored } = await gateway(t)
  const body = { event: 'e', userId: 'u', messageId: 'm' }
  for (let i = 0; i < 3; i++) t.equal((await post('/v1/t', body)).statusCode, 200)
  for (let i = 0; i < 3; i++) t.equal((await signed('/v1/t', body)).statusCode, 200)
  t.same((await stored()).map(({ authMethod }) => authMethod), ['key', 'signature'])
})

t.test('a failing sink is 503 with Retry-After', async (t) => {
  const sink = memorySink()
  const { post, stored } = await gateway(t, {
    sink: {
      ...sink,
      write: async () => {
        throw new UNAVAILABLE()
      }
    }
  })
  for (
    const [url, body] of [['/v1/t', { event: 'e' }], ['/v1/batch', { batch: [{ type: 'track', event: 'e' }] }]] as const
  ) {
    const response = await post(url, body, { origin: SHOP })
    t.equal(response.statusCode, 503)
    t.equal(codeOf(response), 'UNAVAILABLE')
    t.equal(response.headers['retry-after'], '1')
    t.equal(response.headers['access-control-allow-origin'], SHOP)
  }
  t.equal((await stored()).length, 0)
})

t.test('the response waits until the sink has stored the event', async (t) => {
  const sink = memorySink()
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { post } = await gateway(t, {
    sink: {
      ...sink,
      write: async (events) => {
        await held
        await sink.write(events)
      }
    }
  })
  let answered = false
  const answer = post('/v1/t', { event: 'e' }).then((response) => {
    answered = true
    return response
  })
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(answered, false)
  release()
  t.equal((await answer).statusCode, 200)
})
