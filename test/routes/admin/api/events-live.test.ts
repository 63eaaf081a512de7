import { readFile } from 'node:fs/promises'

import t from 'tap'

import { ROLES } from '../../../../contracts/token-store/index.js'
import { caller } from '../../../helpers/admin-caller.js'
import { adminApp } from '../../../helpers/admin.js'
import { liveGateway } from '../../../helpers/live-gateway.js'

t.test('an accepted event is shown as in the list of events, in a response that is neither cached nor ' +
  'buffered', async (t) => {
  const { watch, send, source, owner } = await liveGateway(t)
  const shop = await source()
  const stream = await watch()
  t.equal(stream.response.status, 200)
  t.equal(stream.response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  t.equal(stream.response.headers.get('cache-control'), 'no-store')
  t.equal(stream.response.headers.get('x-accel-buffering'), 'no')
  t.equal(stream.response.headers.get('content-encoding'), null)
  t.match(stream.text(), /^(?:$|retry: 3000\n\n)/)
  t.equal(
    (await send(shop, '/v1/t', {
      event: 'Bought',
      userId: 'u1',
      messageId: 'm1',
      properties: { text: 'line\nbreak \u2028 \ud800' }
    })).status,
    200
  )
  const { id, data } = await stream.until('accepted')
  t.match(id, /^[0-9a-f]{12}-1$/)
  const [stored] = (await owner.get('/events')).json().data
  t.same(data, stored)
  t.match(stream.text(), /^retry: 3000\n\n/)
  t.notMatch(stream.text(), shop.key)
})

t.test('a refused request is shown with its reason and without its body', async (t) => {
  const { watch, send, source } = await liveGateway(t)
  const shop = await source({ environment: 'test' })
  const stream = await watch('?outcome=refused')
  const known = { sourceId: shop.source.id, environment: 'test', index: null, ip: '127.0.0.1' }
  const cases = [
    ['/v1/t', { userId: 'hush', messageId: 'm1' }, {}, {
      status: 400,
      code: 'INVALID_REQUEST',
      message: "/event must have required property 'event'",
      type: 'track',
      messageId: 'm1'
    }],
    ['/v1/p', '{"hush', {}, { status: 400, code: 'INVALID_JSON', type: 'page', messageId: null }],
    ['/v1/t', { event: 'hush' }, { origin: 'https://evil.test' }, {
      status: 403,
      code: 'ORIGIN_NOT_ALLOWED',
      type: 'track',
      origin: 'https://evil.test'
    }],
    ['/v1/t', { event: 'hush' }, { 'x-datafly-signature': `sha256=${'0'.repeat(64)}` }, {
      status: 401,
      code: 'INVALID_SIGNATURE'
    }],
    ['/v1/events', { type: 'track', event: 'hush' }, {}, { status: 401, code: 'SIGNATURE_REQUIRED', type: null }],
    ['/v1/t', { event: 'hush', properties: 'x'.repeat(70_000) }, {}, { status: 413, code: 'PAYLOAD_TOO_LARGE' }],
    ['/v1/t', 'hush', { 'content-type': 'application/xml' }, { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['/v1/batch', { batch: [] }, {}, { status: 400, code: 'INVALID_REQUEST', type: null }]
  ] as const
  for (const [at, [path, body, headers, expected]] of cases.entries()) {
    const reply = await send(shop, path, body, headers)
    t.equal(reply.status, expected.status)
    const { code } = (await reply.json() as { error: { code: string } }).error
    t.equal(code, expected.code)
    await stream.until('refused', () => stream.events().filter(({ event }) => event === 'refused').length > at)
    const { data } = stream.events().filter(({ event }) => event === 'refused')[at] ?? {}
    t.match(data, { ...known, ...expected, receivedAt: /^\d{4}-.*\.\d{3}Z$/ })
    t.same(Object.keys(data ?? {}).sort(), ['code', 'environment', 'index', 'ip', 'message', 'messageId', 'origin',
      'receivedAt', 'sourceId', 'status', 'type'])
  }
  t.notMatch(stream.text(), 'hush')
})

t.test('each invalid event of a batch is shown with its index, and the valid events as accepted', async (t) => {
  const { watch, send, source } = await liveGateway(t)
  const shop = await source()
  const stream = await watch()
  const batch = [{ type: 'track', event: 'a', userId: 'u' }, { type: 'track', messageId: 'bad' }, 7, {
    type: 'page',
    properties: { x: 'y'.repeat(70_000) }
  }]
  t.equal((await send(shop, '/v1/batch', { batch })).status, 200)
  await stream.until('refused', ({ index }) => index === 3)
  t.match(stream.events().filter(({ event }) => event === 'refused').map(({ data }) => data), [
    { index: 1, messageId: 'bad', type: 'track', status: 400, code: 'INVALID_REQUEST' },
    { index: 2, messageId: null, type: null, status: 400, code: 'INVALID_REQUEST' },
    { index: 3, messageId: null, type: 'page', status: 413, code: 'PAYLOAD_TOO_LARGE' }
  ])
  t.match(stream.events().filter(({ event }) => event === 'accepted').map(({ data }) => data), [{ event: 'a' }])
})

t.test('the stream shows neither refusals without a known source nor refusals of other routes', async (t) => {
  const { watch, send, source } = await liveGateway(t, {
    before: async (app) => {
      const { default: pipelineKey } = await import('../../../../plugins/pipeline-key/index.js')
      await app.register(async (scope) => {
        await scope.register(pipelineKey)
        scope.post('/own', { config: { gatehouse: { pipelineKey: true } } }, async () => 'own')
      })
    }
  })
  const shop = await source()
  const stream = await watch('?outcome=refused')
  t.equal((await send({ ...shop, key: `dk_live_${'0'.repeat(32)}` }, '/v1/t', { event: 'x' })).status, 401)
  t.equal((await send(shop, '/own', {}, { origin: 'https://evil.test' })).status, 403)
  t.equal((await send(shop, '/v1/t', {})).status, 400)
  await stream.until('refused')
  t.same(stream.events().filter(({ event }) => event === 'refused').map(({ data }) => data['code']), [
    'INVALID_REQUEST'
  ])
})

t.test('the stream is filtered by source, type and outcome', async (t) => {
  const { watch, send, source } = await liveGateway(t, { api: { live: { maxViewersPerUser: 5 } } })
  const [a, b] = [await source(), await source()]
  const streams = await Promise.all(
    [`?source_id=${a.source.id}`, '?type=page', '?outcome=accepted', '?outcome=refused&type=track'].map((query) =>
      watch(query)
    )
  )
  const everything = await watch()
  await send(a, '/v1/t', { event: '1', userId: 'u', messageId: 'a-track' })
  await send(b, '/v1/p', { userId: 'u', messageId: 'b-page' })
  await send(b, '/v1/t', { userId: 'u', messageId: 'b-bad-track' })
  await send(a, '/v1/p', { userId: 7.5, messageId: 'a-bad-page' })
  for (const made of [a, b]) await send(made, '/v1/t', { event: 'last', messageId: `${made.source.id}-last` })
  await everything.until('accepted', ({ messageId }) => messageId === `${b.source.id}-last`)
  // One process writes to all streams in order, but each socket is read separately.
  await streams[0]?.until('accepted', ({ messageId }) => messageId === `${a.source.id}-last`)
  await streams[1]?.until('refused', ({ messageId }) => messageId === 'a-bad-page')
  await streams[2]?.until('accepted', ({ messageId }) => messageId === `${b.source.id}-last`)
  await streams[3]?.until('refused')
  const ids = streams.map((stream) =>
    stream.events().filter(({ id }) => id !== undefined).map(({ data }) => data['messageId'])
  )
  t.same(ids, [
    ['a-track', 'a-bad-page', `${a.source.id}-last`],
    ['b-page', 'a-bad-page'],
    ['a-track', 'b-page', `${a.source.id}-last`, `${b.source.id}-last`],
    ['b-bad-track']
  ])
})

t.test('the stream contains no event, refusal, count or replay of another organisation', async (t) => {
  const admin = await liveGateway(t)
  const { watch, send, source } = admin
  const stranger = await caller(admin, 'owner', 'other')
  const [ours, theirs] = [await source(), await source({ orgId: 'other' })]
  const stream = await watch()
  const foreign = await watch(`?source_id=${ours.source.id}`, {}, stranger.token)
  const wide = await watch('', { 'last-event-id': 'forged-1' }, stranger.token)
  await send(ours, '/v1/t', { event: 'secret', messageId: 'ours' })
  await send(ours, '/v1/t', { messageId: 'ours-bad' })
  await send(theirs, '/v1/t', { event: 'x', messageId: 'theirs' })
  await wide.until('accepted', ({ messageId }) => messageId === 'theirs')
  const { id = '' } = await stream.until('refused')
  const replayed = await watch('', { 'last-event-id': id.replace(/\d+$/, '0') }, stranger.token)
  await replayed.until('accepted', ({ messageId }) => messageId === 'theirs')
  for (const other of [foreign, wide, replayed]) t.notMatch(other.text(), new RegExp(`ours|secret|${ours.source.id}`))
  t.notMatch(stream.text(), 'theirs')
})

t.test('the stream starts with the counts of each source and repeats them at an interval', async (t) => {
  const { watch, send, source } = await liveGateway(t, { api: { live: { statsEvery: 1000 } } })
  const shop = await source()
  await send(shop, '/v1/t', { event: 'before anyone watches', userId: 'u' })
  await send(shop, '/v1/t', {})
  const stream = await watch()
  const first = await stream.until('stats')
  t.same(first.data['sources'], [{ sourceId: shop.source.id, accepted: 1, refused: { INVALID_REQUEST: 1 } }])
  t.ok(Date.parse(String(first.data['since'])) <= Date.now())
  t.equal(first.id, undefined, 'the counts have no event id')
  await send(shop, '/v1/batch', { batch: [{ type: 'page', userId: 'u' }, {}, {}] })
  await stream.until(
    'stats',
    ({ sources }) =>
      JSON.stringify(sources) ===
        JSON.stringify([{ sourceId: shop.source.id, accepted: 2, refused: { INVALID_REQUEST: 3 } }])
  )
})

t.test('every role opens the stream with a bearer token; a token in the query or in a cookie, or no token, is ' +
  '401', async (t) => {
  const admin = await liveGateway(t)
  for (const role of ROLES) {
    const { token } = await caller(admin, role, 'roles')
    t.equal((await admin.watch('', {}, token)).response.status, 200, role)
  }
  const { origin, owner } = admin
  const url = `${origin}/v1/admin/events/live`
  for (
    const [where, headers] of [[url, {}], [`${url}?access_token=${owner.token}`, {}], [url, {
      cookie: `access_token=${owner.token}`
    }]] as const
  ) {
    const reply = await fetch(where, { headers: { accept: 'text/event-stream', ...headers } })
    t.equal(reply.status, 401)
    t.equal((await reply.json() as { error: { code: string } }).error.code, 'UNAUTHORIZED')
  }
  const head = await fetch(url, { method: 'HEAD', headers: { authorization: `Bearer ${owner.token}` } })
  t.equal(head.status, 404, 'a HEAD does not open a stream')
})

t.test('an invalid query is 400', async (t) => {
  const { watch } = await liveGateway(t)
  for (const query of ['?outcome=maybe', '?type=purchase', '?source_id=', '?from=2026-01-01T00:00:00Z']) {
    const { response } = await watch(query, { accept: 'text/event-stream' })
    t.equal(response.status, 400, query)
  }
})

t.test('the live view is 404 without ingestion and with "live: false"', async (t) => {
  const admin = await adminApp(t)
  const reply = await (await caller(admin)).get('/events/live')
  t.equal(reply.statusCode, 404)
  t.match(reply.json().error, {
    code: 'NOT_FOUND',
    message: 'This server does not accept events, so there is no live view'
  })
  const without = await liveGateway(t, { api: { live: false } })
  t.equal((await without.watch()).response.status, 404)
  t.equal(
    (await without.send(await without.source(), '/v1/t', { event: 'x', userId: 'u' })).status,
    200,
    'ingestion works without the live view'
  )
})

t.test('the live view works with a sink that does not list its events', async (t) => {
  const { watch, send, source, owner } = await liveGateway(t, {
    sink: { write: async () => {}, ready: async () => {}, close: async () => {} }
  })
  t.equal((await owner.get('/events')).statusCode, 404)
  const stream = await watch()
  await send(await source(), '/v1/t', { event: 'x', userId: 'u' })
  t.match((await stream.until('accepted')).data, { event: 'x' })
})

t.test('an invalid option of the live view stops the start', async (t) => {
  const wrong = [{ maxViewers: 0 }, { maxViewersPerUser: 0 }, { queueBytes: 1000 }, { heartbeat: 1500 }, {
    statsEvery: 0
  }, { eventsPerSecond: 1.5 }, true, null]
  for (const live of wrong as never[]) {
    await t.rejects(
      adminApp(t, { api: { live } }),
      { code: 'INVALID_OPTIONS', message: /^admin-api: "live/ },
      JSON.stringify(live)
    )
  }
})

t.test('the code in docs/event-feed.md reads the stream in a page', async (t) => {
  const { origin, owner, send, source, store } = await liveGateway(t)
  const text = await readFile(new URL('../../../../docs/event-feed.md', import.meta.url), 'utf8')
  const code = text.slice(text.indexOf('## In the front end')).split('```js\n')[1]?.split('```')[0] ?? ''
  const shown: string[] = []
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new(
    ...texts: string[]
  ) => (...values: unknown[]) => Promise<void>
  const read = new AsyncFunction('fetch', 'accessToken', 'show', code)(
    (path: string, init: RequestInit) => fetch(origin + path, init),
    owner.token,
    (message: string) => {
      shown.push(message)
    }
  )
  const made = await source()
  // The code opens its stream at any moment: send refusals until the stream shows a refusal.
  while (!shown.some((message) => message.includes('event: refused'))) await send(made, '/v1/t', {})
  await store.sessions.endAll(owner.userId)
  await read
  t.match(
    shown.find((message) => message.includes('event: refused')),
    /^id: [0-9a-f]{12}-1\nevent: refused\ndata: \{"status":400,.*\}$/
  )
})
