import t from 'tap'

import { isReadable } from '../../../../contracts/event-sink.js'
import { acceptedEvent } from '../../../helpers/accepted-event.js'
import { caller } from '../../../helpers/admin-caller.js'
import { liveGateway } from '../../../helpers/live-gateway.js'

/** Percent-encodes a string; a lone surrogate as the three bytes that UTF-8 would have for it. */
function encode (text: string): string {
  return Array.from(text, (character) => {
    if (!/\p{Cs}/u.test(character)) return encodeURIComponent(character)
    const unit = character.charCodeAt(0)
    const bytes = [0xe0 | unit >> 12, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f]
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase()}`).join('')
  }).join('')
}

t.test('an event of the gateway is found by each of its ids and its name, whatever characters they have', async (t) => {
  const { send, source, owner } = await liveGateway(t)
  const shop = await source()
  const strings = ['plain', 'a b+c&d=e', '%41', '%', '_', "'", '"', '\\', '\u0000', '\ud800', '\ufffd', 'é', 'e\u0301', '💡',
    '%ED%A0%80', 'x'.repeat(100)]
  for (const [at, text] of strings.entries()) {
    const response = await send(shop, '/v1/track', {
      event: `${text}1`, userId: `${text}2`, anonymousId: `${text}3`, messageId: at === 0 ? 'm' : text
    })
    t.equal(response.status, 200, text)
  }
  const found = async (query: string) => (await owner.get(`/events?${query}`)).json().data
  for (const [at, text] of strings.entries()) {
    for (const [name, value] of Object.entries({ event: `${text}1`, user_id: `${text}2`, anonymous_id: `${text}3` })) {
      const data = await found(`${name}=${encode(value)}`)
      t.equal(data.length, 1, `${name} ${JSON.stringify(value)}`)
      t.equal(data[0].event, `${text}1`)
    }
    t.match(await found(`message_id=${encode(at === 0 ? 'm' : text)}`), [{ event: `${text}1` }], JSON.stringify(text))
  }
  t.same(await found('user_id=plain'), [])
})

t.test('a numeric id is found by its digits', async (t) => {
  const { send, source, owner } = await liveGateway(t)
  const shop = await source()
  await send(shop, '/v1/track', '{"event":"e","userId":12345678901234567890,"anonymousId":"a"}')
  t.equal((await owner.get('/events?user_id=12345678901234567890&anonymous_id=a&event=e')).json().data.length, 1)
  t.same((await owner.get('/events?user_id=12345678901234567000')).json().data, [])
})

t.test('events are found by the time of the event beside the time of receipt', async (t) => {
  const { send, source, owner } = await liveGateway(t)
  const shop = await source()
  for (const day of ['01', '02', '03']) {
    await send(shop, '/v1/track', { event: `day ${day}`, userId: 'u', timestamp: `2026-01-${day}T12:00:00Z` })
  }
  const found = async (query: string) =>
    (await owner.get(`/events?${query}`)).json().data.map(({ event }: { event: string }) => event)
  t.same(await found('timestamp_from=2026-01-02T12:00:00Z'), ['day 03', 'day 02'])
  t.same(await found('timestamp_to=2026-01-02T12:00:00Z&user_id=u'), ['day 02', 'day 01'])
  t.same(await found('timestamp_from=2026-01-02T00:00:00Z&timestamp_to=2026-01-03T00:00:00Z'), ['day 02'])
  t.same(await found('timestamp_from=2026-01-01T00:00:00Z&to=2026-01-04T00:00:00Z'), [], 'received later')
})

t.test('a search never finds events of another organisation', async (t) => {
  const gateway = await liveGateway(t)
  const shop = await gateway.source()
  await gateway.send(shop, '/v1/track', { event: 'e', userId: 'u', anonymousId: 'a', messageId: 'm' })
  const stranger = await caller(gateway, 'owner', 'other')
  for (const query of ['user_id=u', 'anonymous_id=a', 'event=e', 'message_id=m', 'timestamp_from=2020-01-01T00:00:00Z']) {
    t.equal((await gateway.owner.get(`/events?${query}`)).json().data.length, 1, query)
    t.same((await stranger.get(`/events?${query}`)).json().data, [], query)
  }
})

t.test('parameters of a search that are not valid are refused', async (t) => {
  const { owner } = await liveGateway(t)
  for (const query of ['user_id=', 'user_id=%ff', 'user_id=%c3', `message_id=${'x'.repeat(101)}`,
    `user_id=${'x'.repeat(513)}`, `event=${'x'.repeat(1_001)}`, 'event=a&event=b', 'timestamp_from=yesterday',
    'timestamp_to=2026-13-01T00:00:00Z', 'group_id=g']) {
    const response = await owner.get(`/events?${query}`)
    t.equal(response.statusCode, 400, query.slice(0, 40))
    t.match(response.json(), { error: { code: 'INVALID_REQUEST' } })
  }
})

t.test('an event is read by its id, which lists, the live view and exports show', async (t) => {
  const gateway = await liveGateway(t)
  const { send, source, owner, watch, app } = gateway
  const shop = await source()
  const stream = await watch()
  await send(shop, '/v1/batch', {
    batch: Array.from({ length: 250 }, (_, n) => ({ type: 'track', event: `e${n}`, userId: 'u', messageId: `m${n}` }))
  })
  const { data: live } = await stream.until('accepted', ({ messageId }) => messageId === 'm7')
  const { data } = (await owner.get('/events?message_id=m7')).json()
  t.match(data, [{ id: /^evt_[\w-]{24}$/, event: 'e7' }])
  t.equal(live['id'], data[0].id)
  const one = await owner.get(`/events/${data[0].id}`)
  t.equal(one.statusCode, 200)
  t.equal(one.headers['content-type'], 'application/json; charset=utf-8')
  t.same(one.json(), data[0])
  const oldest = (await owner.get('/events?message_id=m0')).json().data[0].id
  t.equal((await owner.get(`/events/${oldest}`)).json().messageId, 'm0', 'behind the first page of its millisecond')
  const all = (await owner.get('/events?limit=100')).json().data.map(({ id }: { id: string }) => id)
  t.equal(new Set(all).size, 100)

  const stranger = await caller(gateway, 'owner', 'other')
  for (const [who, id] of [[stranger, data[0].id], [owner, `evt_${'A'.repeat(24)}`], [owner, `evt_${'_'.repeat(24)}`],
    [owner, 'evt_'], [owner, 'm7']] as const) {
    const response = await who.get(`/events/${id}`)
    t.equal(response.statusCode, 404, id)
    t.equal(response.json().error.code, 'NOT_FOUND')
  }
  const again = acceptedEvent(shop.source, 'm7')
  await app.eventSink.write([{ ...again, receivedAt: Date.now() + 2 * 86_400_000 }])
  const ids = (await owner.get('/events?message_id=m7')).json().data.map(({ id }: { id: string }) => id)
  t.equal(new Set(ids).size, 2, 'the same message after the time of duplicates is another event')
})

t.test('a member named id of a client is replaced in what is shown, and stays in what is stored', async (t) => {
  const { send, source, owner, app } = await liveGateway(t)
  const shop = await source()
  await send(shop, '/v1/track', { event: 'e', userId: 'u', id: 'mine' })
  const { body } = await owner.get('/events')
  t.equal(body.split('"id":').length, 2)
  t.notMatch(body, 'mine')
  if (!isReadable(app.eventSink)) throw new Error('the sink of the test cannot be read')
  const { data } = await app.eventSink.list('acme', {}, { limit: 1 })
  t.match(data[0]?.payload, '"id":"mine"')
})
