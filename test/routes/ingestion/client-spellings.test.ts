import t from 'tap'

import { codeOf, gateway } from '../../helpers/gateway.js'

const OPTIONAL = [
  'name',
  'userId',
  'anonymousId',
  'groupId',
  'previousId',
  'properties',
  'traits',
  'context',
  'integrations',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'messageId',
  'writeKey'
]

t.test('null in an optional member is treated as an absent member, alone and in a batch', async (t) => {
  const { post, stored } = await gateway(t)
  const nulls = Object.fromEntries(OPTIONAL.map((name) => [name, null]))
  t.equal((await post('/v1/track', { type: null, event: 'E', ...nulls })).statusCode, 200)
  t.equal((await post('/v1/page', { event: null, ...nulls })).statusCode, 200)
  const batch = [
    { type: 'track', event: 'E', ...nulls },
    { type: 'screen', ...nulls, event: null, name: 'S' },
    ...OPTIONAL.map((name) => ({ type: 'identify', userId: 'u1', [name]: null }))
  ]
  const response = await post('/v1/batch', { batch, context: null, integrations: null, sentAt: null, writeKey: null })
  t.equal(response.body, `{"success":true,"accepted":${batch.length}}`)
  for (const event of await stored()) {
    t.match(event, { messageId: /^[0-9a-f-]{36}$/, timestamp: String(event['receivedAt']), type: String })
    t.notOk(Object.hasOwn(event, 'writeKey'))
  }
})

t.test('null in an item does not replace the member of the batch', async (t) => {
  const { post, stored } = await gateway(t)
  const shared = { context: { locale: 'de' }, integrations: { All: false }, sentAt: '2026-01-01T00:00:00.000Z' }
  await post('/v1/batch', { ...shared, batch: [{ type: 'page', context: null, integrations: null, sentAt: null }] })
  t.match((await stored())[0], shared)
})

t.test('an integer id of any length is stored as the string of its digits', async (t) => {
  const { post, stored } = await gateway(t)
  const digits = '12345678901234567890123'
  t.equal(
    (await post(
      '/v1/batch',
      `{"batch":[
    {"type":"group","userId": 7 ,"groupId":99},{"type":"alias","userId":0,"previousId":-7},{"type":"page","anonymousId":9007199254740993},
    {"type":"page","userId":${digits}}]}`
    )).body,
    '{"success":true,"accepted":4}'
  )
  t.equal((await post('/v1/g', '{"userId":"u1","groupId":1234567890123456789}')).statusCode, 200)
  t.match(await stored(), [
    { userId: '7', groupId: '99' },
    { userId: '0', previousId: '-7' },
    { anonymousId: '9007199254740993' },
    { userId: digits },
    { userId: 'u1', groupId: '1234567890123456789' }
  ])
})

t.test('a signed event is accepted with a number as userId', async (t) => {
  const { signed, stored } = await gateway(t)
  t.equal((await signed('/v1/events', { type: 'track', event: 'E', userId: 42 })).statusCode, 200)
  t.match(await stored(), [{ userId: '42', authMethod: 'signature' }])
})

t.test('a number that is not written in plain digits is refused as an id', async (t) => {
  const { post, stored } = await gateway(t)
  for (const number of ['1.5', '1.0', '1e3', '1E3', '-0', '-0.0', '12e-1', '1e400']) {
    for (const name of ['userId', 'groupId', 'previousId', 'anonymousId']) {
      const response = await post('/v1/p', `{"${name}":${number}}`)
      t.equal(response.statusCode, 400, `${name} ${number}`)
      t.equal(codeOf(response), 'INVALID_REQUEST')
    }
  }
  t.match((await post('/v1/batch', '{"batch":[{"type":"page","userId":1e3},{"type":"page","userId":1}]}')).json(), {
    accepted: 1,
    errors: [{ index: 0, code: 'INVALID_REQUEST', message: '/userId must be a string or an integer in plain digits' }]
  })
  t.equal((await stored()).length, 1)
})

t.test('an empty array is accepted in place of an object, and a non-empty array is 400', async (t) => {
  const { post, stored } = await gateway(t)
  const empty = { properties: [], traits: [], context: [], integrations: [] }
  t.equal((await post('/v1/track', { userId: 'u1', event: 'E', ...empty })).statusCode, 200)
  t.equal(
    (await post('/v1/batch', { batch: [{ type: 'page', ...empty }], context: [], integrations: [] })).statusCode,
    200
  )
  const shared = { context: { locale: 'de' }, integrations: { All: true } }
  t.equal((await post('/v1/batch', { batch: [{ type: 'page', ...empty }], ...shared })).statusCode, 200)
  const objects = { properties: {}, traits: {}, context: {}, integrations: {} }
  const events = await stored()
  t.match(events, [objects, objects, { ...objects, ...shared }])
  t.notOk(
    events.slice(0, 2).some(({ context, integrations }) =>
      Object.keys({ ...context as object, ...integrations as object }).length > 0
    )
  )
  const items = Object.keys(objects).map((name) => ({ type: 'page', [name]: [{}] }))
  t.match((await post('/v1/batch', { batch: items })).json(), { accepted: 0, rejected: 4 })
})

t.test('a byte order mark before a body is skipped, and is part of the signed bytes', async (t) => {
  const { post, signed, key, accepted } = await gateway(t)
  const body = Buffer.from('\ufeff{"userId":"u1","event":"E"}')
  t.equal((await post('/v1/track', body)).statusCode, 200)
  t.equal((await signed('/v1/track', body)).statusCode, 200)
  const withKey = Buffer.from(`\ufeff{"writeKey":"${key}","batch":[{"type":"track","event":"E"}]}`)
  t.equal((await post('/v1/batch', withKey, { authorization: [], 'content-type': 'text/plain' })).statusCode, 200)
  t.same((await accepted()).map(({ payload }) => payload), ['{"userId":"u1","event":"E"}',
    '{"userId":"u1","event":"E"}', '{"type":"track","event":"E"}'])
})

t.test('a body without a Content-Type is read as JSON at each path for events', async (t) => {
  const { app, key, stored } = await gateway(t)
  const send = (url: string, body: object, headers = {}) =>
    app.inject({ method: 'POST', url, headers, payload: Buffer.from(JSON.stringify(body)) })
  for (const url of [`/v1/t?wk=${key}`, `/v1/track?wk=${key}`, `/v1/p?wk=${key}`]) {
    t.equal((await send(url, { event: 'E' })).statusCode, 200, url)
  }
  for (const url of ['/v1/batch', '/v1/import', '/v1/b']) {
    t.equal((await send(`${url}?wk=${key}`, { batch: [{ type: 'page' }] })).statusCode, 200, url)
  }
  t.equal((await send('/v1/t', { event: 'E', writeKey: key })).statusCode, 200)
  t.equal(codeOf(await send('/v1/t', { event: 'E' })), 'INVALID_PIPELINE_KEY')
  t.equal((await send(`/v1/t?wk=${key}`, { event: 'E' }, { 'content-type': '' })).statusCode, 415)
  t.equal(
    (await send(`/v1/t?wk=${key}`, { event: 'E' }, { 'content-type': 'application/octet-stream' })).statusCode,
    415
  )
  t.equal((await stored()).length, 7)
})
