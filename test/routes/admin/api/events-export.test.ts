import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { once } from 'node:events'

import t from 'tap'

import { UNAVAILABLE } from '../../../../lib/errors.js'
import { isReadable } from '../../../../contracts/event-sink.js'
import { caller } from '../../../helpers/admin-caller.js'
import { exportEvents, linesOf, openExport, storeEvents } from '../../../helpers/event-export.js'
import { liveGateway } from '../../../helpers/live-gateway.js'

t.test('an export contains all events of the organisation once, newest first, and ends with a line that says ' +
  'so', async (t) => {
  const gateway = await liveGateway(t)
  const events = await storeEvents(gateway, 2_500)
  await storeEvents(gateway, 10, (n) => ({ orgId: 'other', sourceId: 'other', messageId: `other${n}` }))
  const response = await exportEvents(gateway)
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  t.match(response.headers.get('content-disposition'), /^attachment; filename="events-\d{4}-\d\d-\d\d\.ndjson"$/)
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.match(response.headers.get('vary'), 'Accept-Encoding')
  const { events: exported, end } = linesOf(await response.text())
  t.same(exported.map(({ messageId }) => messageId), events.map(({ messageId }) => messageId).reverse())
  t.same(end, { complete: true, count: 2_500, cursor: null })
  const { data } = (await gateway.owner.get('/events?limit=1')).json()
  t.same(exported[0], data[0], 'in the form of the list')
  const [entry] = await gateway.audited('events.exported', 'acme')
  t.match(entry, {
    userId: gateway.owner.userId,
    changes: { format: 'ndjson', count: 2_500, outcome: 'complete', continued: false }
  })
})

t.test('an export has the filters of the list and the digits of the client', async (t) => {
  const gateway = await liveGateway(t)
  await storeEvents(gateway, 40, (n) => ({
    type: n % 2 === 0 ? 'track' : 'page',
    payload: `{"userId":"u${n % 4}",\r\n"big":12345678901234567890}`
  }))
  const text = await (await exportEvents(gateway, '?user_id=u2&type=track&from=2026-01-15T00:00:10Z')).text()
  const { events, end } = linesOf(text)
  t.same(events.map(({ messageId }) => messageId), ['m38', 'm34', 'm30', 'm26', 'm22', 'm18', 'm14', 'm10'])
  t.equal(end?.count, 8)
  t.equal(text.split('"big":12345678901234567890').length, 9)
  const none = linesOf(await (await exportEvents(gateway, '?user_id=nobody')).text())
  t.same(none, { events: [], end: { complete: true, count: 0, cursor: null } })
  const [entry] = await gateway.audited('events.exported', 'acme', 2)
  t.match(entry, { changes: { user_id: 'nobody', count: 0 } })
})

t.test('an export is compressed only if the client accepts gzip', async (t) => {
  const gateway = await liveGateway(t)
  await storeEvents(gateway, 100)
  for (const [accepted, expected] of [['gzip, br', 'gzip'], ['*', 'gzip'], ['gzip;q=0', null], ['br', null]] as const) {
    const sent = request(`${gateway.origin}/v1/admin/events/export`, {
      headers: { authorization: `Bearer ${gateway.owner.token}`, 'accept-encoding': accepted }
    }).end()
    const [response] = await once(sent, 'response')
    t.equal(response.headers['content-encoding'] ?? null, expected, accepted)
    const bytes = Buffer.concat(await response.toArray())
    t.equal(linesOf(String(expected === null ? bytes : gunzipSync(bytes))).end?.count, 100)
  }
})

t.test('an export that continues after the last complete line has neither a gap nor a repeat', async (t) => {
  // A download that the client has ended keeps its place for a moment.
  const gateway = await liveGateway(t, { api: { exports: { maxExports: 50, maxExportsTotal: 50 } } })
  // 100 events have the same time.
  const events = await storeEvents(gateway, 3_000, (n) => ({ receivedAt: Date.UTC(2026, 0, 15) + Math.floor(n / 100) }))
  for (const query of ['?format=ndjson', '?type=track&format=ndjson']) {
    const received: string[] = []
    let cursor = ''
    let downloads = 0
    for (let complete = false; !complete; downloads++) {
      const response = await openExport(gateway, `${query}${cursor}`)
      if (response.statusCode !== 200) throw new Error(`${response.statusCode}`)
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) {
        text += chunk
        if (text.length > 100_000) break
      }
      response.destroy()
      const lines = linesOf(text)
      received.push(...lines.events.map(({ messageId }) => messageId))
      cursor = `&cursor=${lines.events.at(-1)?.id}`
      complete = lines.end?.complete === true
    }
    t.ok(downloads > 3, `${downloads} downloads`)
    t.same(received, events.map(({ messageId }) => messageId).reverse())
  }
  await gateway.audited('events.exported', 'acme', 4)
})

t.test('a cursor that is not of this export is refused', async (t) => {
  const gateway = await liveGateway(t)
  await storeEvents(gateway, 3, (n) => ({ sourceId: `s${n}` }))
  await storeEvents(gateway, 3, (n) => ({ orgId: 'other', sourceId: 'other', messageId: `other${n}` }))
  const { events } = linesOf(await (await exportEvents(gateway)).text())
  const stranger = await caller(gateway, 'owner', 'other')
  const foreign = linesOf(await (await exportEvents(gateway, '', {}, stranger.token)).text()).events[1]?.id
  const listed = (await gateway.owner.get('/events?limit=1')).json().next_cursor
  for (const query of [`?cursor=${foreign}`, `?source_id=s0&cursor=${events[1]?.id}`, `?cursor=evt_${'A'.repeat(24)}`,
    '?cursor=evt_x', '?cursor=x', `?cursor=${encodeURIComponent(listed)}`, '?format=xml', '?limit=1', '?user_id=%ff']) {
    const response = await exportEvents(gateway, query)
    t.equal(response.status, 400, query)
    t.match(await response.json(), { error: { code: 'INVALID_REQUEST' } })
  }
  t.equal(linesOf(await (await exportEvents(gateway, `?cursor=${events[2]?.id}`)).text()).end?.complete, true)
})

t.test('a sink that fails before the first event is 503, and a sink that fails later ends the export with ' +
  'the cursor where it continues', async (t) => {
  const gateway = await liveGateway(t)
  const events = await storeEvents(gateway, 2_500)
  const { eventSink: sink } = gateway.app
  if (!isReadable(sink)) throw new Error('the sink of the test cannot be read')
  const { list } = sink
  let pagesLeft = 0
  sink.list = (...parameters) => pagesLeft-- > 0 ? list(...parameters) : Promise.reject(new UNAVAILABLE())
  const refused = await exportEvents(gateway)
  t.equal(refused.status, 503)
  t.match(await refused.json(), { error: { code: 'UNAVAILABLE' } })

  pagesLeft = 2
  const first = linesOf(await (await exportEvents(gateway)).text())
  t.match(first.end, { complete: false, count: 500, reason: 'failed', cursor: String })
  pagesLeft = 20
  const rest = linesOf(
    await (await exportEvents(gateway, `?cursor=${encodeURIComponent(first.end?.cursor ?? '')}`)).text()
  )
  t.match(rest.end, { complete: true, count: 2_000 })
  t.same([...first.events, ...rest.events].map(({ messageId }) => messageId),
    events.map(({ messageId }) => messageId).reverse())
  pagesLeft = 1
  await t.rejects(exportEvents(gateway, '?format=csv').then((response) => response.text()), 'CSV is cut off')
  t.match((await gateway.audited('events.exported', 'acme', 3))[0], { changes: { outcome: 'failed', count: 250 } })
})

t.test('a server without readable events, or with exports disabled, has no export', async (t) => {
  const broker = await liveGateway(t, { sink: { write: async () => {}, ready: async () => {}, close: async () => {} } })
  t.equal((await exportEvents(broker)).status, 404)
  const disabled = await liveGateway(t, { api: { exports: false } })
  t.equal((await exportEvents(disabled)).status, 404, 'the path of one event, with an id that is not valid')
  await t.rejects(liveGateway(t, { api: { exports: { maxExports: 0 } } }), { code: 'INVALID_OPTIONS' })
  await t.rejects(liveGateway(t, { api: { exports: { stallTimeout: 1_500 } } }), { code: 'INVALID_OPTIONS' })
  await t.rejects(liveGateway(t, { api: { exports: { max: 1 } as never } }), { code: 'INVALID_OPTIONS' })
})
