import t from 'tap'

import { liveGateway } from '../../../helpers/live-gateway.js'

const BIG =
  '{"userId":"u1","event":"E",\r\n ' +
    '"messageId":"big-1","properties":{"id":9007199254740993,"snowflake":1234567890123456789,"price":1.10,"tiny":1E-7,"list":[1.0]}}'
const PROPERTIES =
  '"properties":{"id":9007199254740993,"snowflake":1234567890123456789,"price":1.10,"tiny":1E-7,"list":[1.0]}'

t.test('the list and the live view show an event with the digits that the client sent', async (t) => {
  const { send, source, owner, watch } = await liveGateway(t)
  const shop = await source()
  const stream = await watch()
  t.equal((await send(shop, '/v1/track', BIG)).status, 200)
  t.equal(
    (await send(shop, '/v1/batch', `{"batch":[{"type":"track",${BIG.slice(1)}]}`.replace('big-1', 'big-2'))).status,
    200
  )
  await stream.until('accepted', (data) => data['messageId'] === 'big-2')
  const list = await owner.get('/events')
  t.equal(list.headers['content-type'], 'application/json; charset=utf-8')
  t.match(list.json(), { data: [{ messageId: 'big-2' }, { messageId: 'big-1' }], next_cursor: null, has_more: false })
  for (const text of [list.body, stream.text()]) t.equal(text.split(PROPERTIES).length, 3)
})

t.test('the members that the server adds to an event occur once, also when the client sends the same ' +
  'members', async (t) => {
  const { send, source, owner } = await liveGateway(t)
  const shop = await source()
  const lies =
    '"receivedAt":1,"sourceId":"x","ip":"1.1.1.1","userAgent":"x","authMethod":"signature","environment":"test","\\u0069p":"2.2.2.2"'
  await send(shop, '/v1/track', `{"event":"F",${lies},"context":{"ip":"1.1.1.1"}}`)
  const { body } = await owner.get('/events')
  for (const name of ['receivedAt', 'sourceId', 'userAgent', 'authMethod', 'environment', 'event']) {
    t.equal(body.split(`"${name}":`).length, 2, name)
  }
  t.notMatch(body, /1\.1\.1\.1|2\.2\.2\.2/)
  t.match(JSON.parse(body), {
    data: [{
      sourceId: shop.source.id,
      authMethod: 'key',
      environment: 'live',
      event: 'F',
      ip: '127.0.0.1',
      context: { ip: '127.0.0.1' }
    }]
  })
})

t.test('the list of events is paged with a cursor', async (t) => {
  const { send, source, owner } = await liveGateway(t)
  const shop = await source()
  for (const n of [1, 2, 3]) await send(shop, '/v1/page', { messageId: `m${n}` })
  const first = (await owner.get('/events?limit=2')).json()
  t.match(first, { data: [{ messageId: 'm3' }, { messageId: 'm2' }], next_cursor: String, has_more: true })
  t.match((await owner.get(`/events?limit=2&cursor=${encodeURIComponent(first.next_cursor)}`)).json(), {
    data: [{ messageId: 'm1' }],
    next_cursor: null,
    has_more: false
  })
})
