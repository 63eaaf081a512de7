import t from 'tap'

import { acceptedEvent } from '../../../helpers/accepted-event.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveStream } from '../../../helpers/live-stream.js'

function idsIn (stream: LiveStream): unknown[] {
  return stream.events().filter(({ event }) => event === 'accepted').map(({ data }) => data['messageId'])
}

t.test('a request with Last-Event-ID receives all events since then that match its filter, also those that no stream ' +
  'showed', async (t) => {
  const { watch, app, source } = await liveGateway(t)
  const [{ source: a }, { source: b }] = [await source(), await source()]
  const publish = (...ids: string[]) =>
    ids.forEach((id) =>
      app.eventFeed.accepted(id.startsWith('b') ? b : a, [acceptedEvent(id.startsWith('b') ? b : a, id)])
    )
  const stream = await watch()
  publish('a1', 'a2')
  const { id = '' } = await stream.until('accepted', ({ messageId }) => messageId === 'a1')
  stream.close()
  await stream.over
  publish('b3', 'a4')
  const back = await watch('', { 'last-event-id': id })
  publish('a5')
  await back.until('accepted', ({ messageId }) => messageId === 'a5')
  t.same(idsIn(back), ['a2', 'b3', 'a4', 'a5'])
  t.notMatch(back.text(), 'event: dropped')
  const narrowed = await watch(`?source_id=${b.id}`, { 'last-event-id': id })
  publish('b6')
  await narrowed.until('accepted', ({ messageId }) => messageId === 'b6')
  t.same(idsIn(narrowed), ['b3', 'b6'])
})

t.test('an id that is too old, invalid or of another process is followed by a gap notice and the newest ' +
  'events', async (t) => {
  const { watch, app, source } = await liveGateway(t, {
    api: { live: { eventsPerSecond: 1_000, maxViewersPerUser: 9 } }
  })
  const { source: shop } = await source()
  const stream = await watch()
  app.eventFeed.accepted(shop, Array.from({ length: 250 }, (_, n) => acceptedEvent(shop, `m${n}`)))
  const first = await stream.until('accepted')
  const { id: last = '' } = await stream.until('accepted', ({ messageId }) => messageId === 'm249')
  for (const id of [first.id ?? '', 'nonsense', '000000000000-1', last.replace(/\d+$/, '999')]) {
    const back = await watch('', { 'last-event-id': id })
    t.same((await back.until('dropped')).data, { count: null, reason: 'gap' }, id)
    if (id.endsWith('-999')) continue
    await back.until('accepted', ({ messageId }) => messageId === 'm249')
    t.equal(idsIn(back).length, 200, 'the newest 200')
  }
  const seamless = await watch('', { 'last-event-id': last })
  await seamless.until('stats')
  t.notMatch(seamless.text(), 'event: dropped')
  t.same(idsIn(seamless), [])
})

t.test('after a flood without live views a replay contains a part of the events, after a gap notice', async (t) => {
  const { watch, app, source } = await liveGateway(t, { api: { live: { eventsPerSecond: 5 } } })
  const { source: shop } = await source()
  const stream = await watch()
  app.eventFeed.accepted(shop, [acceptedEvent(shop, 'seen')])
  const { id = '' } = await stream.until('accepted')
  stream.close()
  await stream.over
  app.eventFeed.accepted(shop, Array.from({ length: 50 }, (_, n) => acceptedEvent(shop, `m${n}`)))
  const back = await watch('', { 'last-event-id': id })
  t.same((await back.until('dropped')).data, { count: null, reason: 'gap' })
  await back.until('stats')
  t.ok(idsIn(back).length > 0 && idsIn(back).length < 50)
})

t.test('the events that are kept for a replay are limited by bytes', async (t) => {
  const { watch, app, source } = await liveGateway(t, { api: { live: { eventsPerSecond: 1_000, queueBytes: 65_536 } } })
  const { source: shop } = await source()
  const stream = await watch()
  app.eventFeed.accepted(shop, Array.from({ length: 50 }, (_, n) => acceptedEvent(shop, `m${n}`, 7_000)))
  await stream.until('accepted')
  const back = await watch('', { 'last-event-id': 'none' })
  await back.until('accepted', ({ messageId }) => messageId === 'm49')
  t.same(idsIn(back), ['m46', 'm47', 'm48', 'm49'], 'events of 7 KB that fit into 32 KB')
})
