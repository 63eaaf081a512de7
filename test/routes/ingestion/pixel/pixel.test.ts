import t from 'tap'

import { gateway } from '../../../helpers/gateway.js'
import type { Gateway } from '../../../helpers/gateway.js'
import { makeSource, SHOP } from '../../../helpers/source.js'

const ALL = { pixelTypes: ['track', 'page', 'identify', 'group'] }
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function pixel ({ app, key }: Pick<Gateway, 'app' | 'key'>) {
  return async (path: string, query: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    app.inject({ url: `/v1/pixel/${path}?${String(new URLSearchParams({ wk: key, ...query }))}`, headers })
}

t.test('each event type is stored with its parameters, with properties and traits as strings', async (t) => {
  const made = await gateway(t, { source: ALL })
  const get = pixel(made)
  const common = { uid: 'u 1', aid: 'a', ts: '2024-05-06T07:08:09.123Z', cb: '1' }
  t.equal(
    (await get('track', {
      ...common,
      e: 'Signed Up +&=é',
      mid: 'm1',
      'p.plan': 'pro',
      'p.n': '1',
      'p.a.b': '',
      'p.': 'nameless'
    })).statusCode,
    200
  )
  t.equal((await get('page', { ...common, e: 'Home', 'p.title': 'Grüße' })).statusCode, 200)
  t.equal((await get('identify', { ...common, 't.email': 'a@example.com', 't.constructor': 'x' })).statusCode, 200)
  t.equal((await get('group', { ...common, gid: 'g', 't.name': 'Acme' })).statusCode, 200)
  const same = {
    userId: 'u 1',
    anonymousId: 'a',
    timestamp: '2024-05-06T07:08:09.123Z',
    authMethod: 'key',
    sourceId: made.source.id,
    environment: 'live'
  }
  t.match(await made.stored(), [
    {
      ...same,
      type: 'track',
      event: 'Signed Up +&=é',
      messageId: 'm1',
      properties: { plan: 'pro', n: '1', 'a.b': '' },
      traits: undefined,
      name: undefined
    },
    { ...same, type: 'page', name: 'Home', properties: { title: 'Grüße' }, event: undefined, messageId: UUID },
    {
      ...same,
      type: 'identify',
      traits: { email: 'a@example.com', constructor: 'x' },
      properties: undefined,
      event: undefined
    },
    { ...same, type: 'group', groupId: 'g', traits: { name: 'Acme' } }
  ])
  t.same(Object.keys((await made.stored())[0]?.['properties'] ?? {}), ['plan', 'n', 'a.b'])
})

t.test('the image is one transparent pixel of 43 bytes that is not cached and that every site can show', async (t) => {
  const made = await gateway(t)
  made.app.addHook('onRequest', async (_request, reply) => {
    reply.header('cross-origin-resource-policy', 'same-origin')
  })
  const response = await pixel(made)('track', { e: 'e' })
  t.equal(
    response.rawPayload.toString('hex'),
    '47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b'
  )
  t.equal(response.rawPayload.length, 43)
  t.match(response.headers, {
    'content-type': 'image/gif',
    'content-length': '43',
    'cache-control': 'no-store, no-cache, must-revalidate',
    pragma: 'no-cache',
    expires: '0',
    vary: 'Origin',
    'cross-origin-resource-policy': 'cross-origin'
  })
})

t.test('unknown parameters are ignored', async (t) => {
  const made = await gateway(t)
  t.equal(
    (await pixel(made)('track', {
      e: 'e',
      fbclid: 'x',
      type: 'page',
      event: 'other',
      userId: 'x',
      sourceId: 'x',
      ip: 'x',
      gid: 'g',
      writeKey: 'x',
      P: 'x',
      'props.x': 'x'
    })).statusCode,
    200
  )
  const [payload] = (await made.accepted()).map(({ payload }) => payload)
  t.equal(payload, '{"event":"e"}')
})

t.test('a time is ISO-8601 or epoch milliseconds, and any other time is 400', async (t) => {
  const made = await gateway(t)
  const get = pixel(made)
  for (
    const [ts, stored] of [
      ['1700000000123', '2023-11-14T22:13:20.123Z'],
      ['2024-01-01', '2024-01-01'],
      ['2024-01-01T00:00:00+02:00', '2024-01-01T00:00:00+02:00']
    ] as const
  ) {
    t.equal((await get('page', { ts })).statusCode, 200, ts)
    t.equal((await made.stored()).at(-1)?.['timestamp'], stored)
  }
  t.equal((await made.accepted())[0]?.timestamp, 1_700_000_000_123)
  const late = String(Date.now() + 25 * 3_600_000)
  for (
    const ts of ['1700000000', '170000000012', '17000000001234', '-1700000000123', '1.7e12', 'yesterday', '2024-02-30',
      '275761-01-01', '9999999999999', late]
  ) {
    t.equal((await get('page', { ts })).statusCode, 400, ts)
  }
  t.equal((await made.stored()).length, 3)
})

t.test('mid has 1 to 100 characters, and a repeated mid is stored once', async (t) => {
  const made = await gateway(t)
  const get = pixel(made)
  for (const mid of ['a', 'x'.repeat(100), "'", '\n', ':']) {
    for (let i = 0; i < 3; i++) t.equal((await get('page', { mid })).statusCode, 200)
  }
  t.equal((await get('page', { mid: 'x'.repeat(101) })).statusCode, 400)
  t.equal((await made.stored()).length, 5)
})

t.test('an empty optional parameter is absent, and an empty property is an empty string', async (t) => {
  const made = await gateway(t, { source: ALL })
  const get = pixel(made)
  const before = Date.now()
  for (let i = 0; i < 2; i++) t.equal((await get('page', { e: '', ts: '', mid: '', uid: '', aid: '' })).statusCode, 200)
  t.equal((await get('group', { gid: '', ts: '', mid: '' })).statusCode, 200)
  t.equal((await made.app.inject(`/v1/pixel/track?wk=${made.key}&e=e&ts&mid&uid&p.x&t.y=`)).statusCode, 200)
  const events = await made.stored()
  t.equal(new Set(events.map(({ messageId }) => messageId)).size, 4, 'each event has its own id')
  for (const event of events) {
    t.match(event, { messageId: UUID, anonymousId: UUID, userId: undefined, name: undefined, groupId: undefined })
    t.ok(Date.parse(String(event['timestamp'])) >= before, String(event['timestamp']))
  }
  t.match(events[3], { properties: { x: '' }, traits: { y: '' } })
})

t.test('a repeated parameter is 400, except the cache buster and unknown parameters', async (t) => {
  const { app, key, stored } = await gateway(t, { source: ALL })
  for (const name of ['uid', 'aid', 'ts', 'mid', 'p.x', 't.x', 'e', 'gid']) {
    for (const type of name === 'gid' ? ['group'] : ['track', 'page']) {
      const response = await app.inject(`/v1/pixel/${type}?wk=${key}&${name === 'e' ? '' : 'e=e&'}${name}=a&${name}=a`)
      t.equal(response.statusCode, 400, `${type} ${name}`)
      t.equal(response.rawPayload.length, 43)
    }
  }
  t.equal((await stored()).length, 0)
  t.equal((await app.inject(`/v1/pixel/track?wk=${key}&e=e&cb=1&cb=2&other=1&other=2`)).statusCode, 200)
})

t.test('the Referer becomes context.page with its campaign, unless it is not the URL of a page', async (t) => {
  const made = await gateway(t)
  const get = pixel(made)
  const referer = `${SHOP}/sale?utm_source=news&utm_campaign=may&gclid=g1`
  await get('page', {}, { referer })
  t.match(await made.stored(), [{
    context: { page: { url: referer }, campaign: { source: 'news', name: 'may' }, clickIds: { gclid: 'g1' } }
  }])
  for (const other of ['javascript:alert(1)', 'about:blank', 'shop', '', 'https://', 'android-app://x', '//x']) {
    t.equal((await get('page', {}, { referer: other })).statusCode, 200, other)
    t.notMatch((await made.accepted()).at(-1)?.payload, 'page', other)
  }
})

t.test('a browser gets a _dfid cookie, and its next event has the same id', async (t) => {
  const made = await gateway(t)
  const get = pixel(made)
  const first = await get('page')
  const cookie = /^_dfid=([^;]+); Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/.exec(
    String(first.headers['set-cookie'])
  )
  t.ok(cookie, String(first.headers['set-cookie']))
  const second = await get('page', { uid: 'u' }, { cookie: `_dfid=${cookie?.[1]}` })
  t.equal(second.headers['set-cookie'], undefined)
  t.match(await made.stored(), [{ anonymousId: cookie?.[1] }, { anonymousId: cookie?.[1], userId: 'u' }])
  for (const query of [{ mid: 'x'.repeat(101) }, { ts: 'x' }, { 'p.__proto__': 'x' }]) {
    t.equal((await get('page', query)).headers['set-cookie'], undefined)
  }
})

t.test('an event of a pixel with the key of a test source has the environment test', async (t) => {
  const made = await gateway(t)
  const { key, source } = await makeSource(made.store, { environment: 'test' })
  t.equal((await pixel({ ...made, key })('track', { e: 'e', environment: 'live' })).statusCode, 200)
  t.match(await made.stored(), [{ environment: 'test', sourceId: source.id }])
})
