import t from 'tap'

import { acceptedEvent } from '../../../helpers/accepted-event.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveStream } from '../../../helpers/live-stream.js'

function idsIn (stream: LiveStream): unknown[] {
  return stream.events().filter(({ event }) => event === 'accepted').map(({ data }) => data['messageId'])
}

t.test('who comes back with Last-Event-ID gets what came since, also while nobody watched, by the filter of the ' +
  'new request', async (t) => {
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

t.test('where something may be missing the viewer is told: an id that is too old, not ours, or of another ' +
  'time', async (t) => {
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

t.test('of a flood while nobody watched not all is kept for those who come back, and they are told', async (t) => {
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

t.test('what is kept for a replay is bounded by bytes too', async (t) => {
  const { watch, app, source } = await liveGateway(t, { api: { live: { eventsPerSecond: 1_000, queueBytes: 65_536 } } })
  const { source: shop } = await source()
  const stream = await watch()
  app.eventFeed.accepted(shop, Array.from({ length: 50 }, (_, n) => acceptedEvent(shop, `m${n}`, 7_000)))
  await stream.until('accepted')
  const back = await watch('', { 'last-event-id': 'none' })
  await back.until('accepted', ({ messageId }) => messageId === 'm49')
  t.same(idsIn(back), ['m46', 'm47', 'm48', 'm49'], 'of 7 KB each, what fits into 32 KB')
})
