import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { once } from 'node:events'

import t from 'tap'
import type { Test } from 'tap'

import type { RefusedEvent } from '../../../../contracts/token-store/index.js'
import { aRefusedEvent } from '../../../../conformance/token-store/fixtures.js'
import { caller } from '../../../helpers/admin-caller.js'
import { parseCsv } from '../../../helpers/csv.js'
import { linesOf, openExport } from '../../../helpers/event-export.js'
import { liveGateway } from '../../../helpers/live-gateway.js'
import type { LiveGatewayOptions } from '../../../helpers/live-gateway.js'

const PATH = '/v1/admin/refused-events/export'
const LIMITS = { maxRows: 10_000, maxBytes: 100_000_000 }

async function setUp (
  t: Test,
  count: number,
  fields: (n: number) => Partial<RefusedEvent> = () => ({}),
  options: LiveGatewayOptions = {}
) {
  const gateway = await liveGateway(t, options)
  const { source } = await gateway.source({ keepRefused: true })
  const events = Array.from({ length: count }, (_, n) => aRefusedEvent({
    // Several have the same time.
    id: `ref_${n}`, orgId: 'acme', sourceId: source.id, receivedAt: Math.floor(n / 3) * 1_000, ...fields(n)
  }))
  await gateway.store.refusedEvents.append(events, LIMITS)
  const get = (query = '', token = gateway.owner.token) =>
    fetch(gateway.origin + PATH + query, { headers: { authorization: `Bearer ${token}` } })
  const ids = events.map(({ id }) => id).reverse()
  return { gateway, source, get, ids }
}

t.test('an export contains all refused events of the organisation once, newest first, in the form of the ' +
  'list', async (t) => {
  const { gateway, get, ids } = await setUp(t, 700)
  const response = await get()
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8')
  t.match(response.headers.get('content-disposition'), /^attachment; filename="refused-events-\d{4}-\d\d-\d\d\.ndjson"$/)
  t.equal(response.headers.get('cache-control'), 'no-store')
  const { events, end } = linesOf(await response.text())
  t.same(events.map(({ id }) => id), ids)
  t.same(end, { complete: true, count: 700, cursor: null })
  t.same(events[0], (await gateway.owner.get('/refused-events?limit=1')).json().data[0])
  t.match((await gateway.audited('refused_events.exported', 'acme'))[0], {
    userId: gateway.owner.userId,
    resourceType: 'refused_event',
    changes: { format: 'ndjson', count: 700, outcome: 'complete', continued: false }
  })
  const stranger = await caller(gateway, 'owner', 'other')
  t.same(linesOf(await (await get('', stranger.token)).text()), {
    events: [], end: { complete: true, count: 0, cursor: null }
  })
})

t.test('an export has the filters of the list', async (t) => {
  const { get, source } = await setUp(t, 9, (n) => ({ code: n % 2 === 0 ? 'INVALID_JSON' : 'FORBIDDEN', messageId: `m ${n}+` }))
  const exported = async (query: string) => linesOf(await (await get(query)).text()).events.map(({ id }) => id)
  t.same(await exported(`?code=INVALID_JSON&source_id=${source.id}&from=1970-01-01T00:00:01Z`), ['ref_8', 'ref_6', 'ref_4'])
  t.same(await exported('?message_id=m%203%2B'), ['ref_3'])
  t.same(await exported('?replayed=true'), [])
  for (const query of ['?code=x', '?limit=1', '?format=xml', '?from=never', '?origin=%ff']) {
    const response = await get(query)
    t.equal(response.status, 400, query)
    t.match(await response.json(), { error: { code: 'INVALID_REQUEST' } })
  }
})

t.test('an export that is cut off continues after the id of its last event, without gap or repeat', async (t) => {
  const { get, ids } = await setUp(t, 600)
  for (const position of [0, 1, 2, 249, 250, 251, 598]) {
    for (const filter of ['', '&to=1970-01-01T00:02:00Z']) {
      const all = filter === '' ? ids : ids.filter((id) => Number(id.slice(4)) < 363)
      const at = Math.min(position, all.length - 2)
      const { events, end } = linesOf(await (await get(`?cursor=${all[at]}${filter}`)).text())
      t.same(events.map(({ id }) => id), all.slice(at + 1), `after ${at}${filter}`)
      t.match(end, { complete: true, count: all.length - at - 1 })
    }
  }
})

t.test('a store that fails later ends the export with the cursor where it continues', async (t) => {
  const { gateway, get, ids } = await setUp(t, 600)
  const { refusedEvents } = gateway.store
  const list = refusedEvents.list.bind(refusedEvents)
  let pagesLeft = 1
  refusedEvents.list = (...parameters) => pagesLeft-- > 0 ? list(...parameters) : Promise.reject(new Error('down'))
  const first = linesOf(await (await get()).text())
  t.match(first.end, { complete: false, count: 250, reason: 'failed', cursor: String })
  pagesLeft = 20
  const rest = linesOf(await (await get(`?cursor=${encodeURIComponent(first.end?.cursor ?? '')}`)).text())
  t.match(rest.end, { complete: true, count: 350 })
  t.same([...first.events, ...rest.events].map(({ id }) => id), ids)
})

t.test('a cursor that is not of this export is refused', async (t) => {
  const { gateway, get } = await setUp(t, 6, (n) => ({ code: n === 0 ? 'FORBIDDEN' : 'INVALID_JSON' }))
  const { source } = await gateway.source({ orgId: 'other' })
  await gateway.store.refusedEvents.append([aRefusedEvent({ id: 'ref_b', orgId: 'other', sourceId: source.id })], LIMITS)
  const listed = (await gateway.owner.get('/refused-events?limit=1')).json().next_cursor
  for (const query of ['?cursor=ref_b', '?cursor=ref_none', '?cursor=x', '?code=FORBIDDEN&cursor=ref_1',
    `?cursor=${encodeURIComponent(listed)}`]) {
    const response = await get(query)
    t.equal(response.status, 400, query)
    t.match(await response.json(), { error: { code: 'INVALID_REQUEST' } })
  }
  t.equal(linesOf(await (await get('?cursor=ref_5')).text()).end?.complete, true)
})

t.test('a CSV export has a column for each property, and no cell that a spreadsheet reads as a formula', async (t) => {
  const texts = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', 'a,"b"\r\nc']
  const { gateway, get } = await setUp(t, texts.length, (n) => {
    const text = texts[n] ?? ''
    return { payload: text, userAgent: text, event: text, messageId: text, origin: text, type: null }
  })
  const response = await get('?format=csv')
  t.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  const [header = [], ...records] = parseCsv(await response.text())
  const { data } = (await gateway.owner.get('/refused-events?limit=100')).json()
  t.same([...header].sort(), Object.keys(data[0]).sort())
  t.same(records.length, texts.length)
  for (const [at, cells] of records.reverse().entries()) {
    const record = Object.fromEntries(cells.map((cell, place) => [header[place] ?? place, cell]))
    const text = texts[at] ?? ''
    const expected = text.startsWith('a') ? text : `'${text}`
    t.match(record, {
      id: `ref_${at}`,
      payload: expected,
      user_agent: expected,
      event: expected,
      message_id: expected,
      origin: expected,
      type: '',
      signed: 'false',
      replayed_at: '',
      replayable: 'true',
      code: 'ORIGIN_NOT_ALLOWED'
    })
    t.notOk(cells.some((cell) => /^[=+\-@\t\r\n＝]/.test(cell)))
  }
})

t.test('an export is compressed only if the client accepts gzip', async (t) => {
  const { gateway, ids } = await setUp(t, 100)
  for (const [accepted, expected] of [['gzip, br', 'gzip'], ['br', undefined]] as const) {
    const sent = request(gateway.origin + PATH, {
      headers: { authorization: `Bearer ${gateway.owner.token}`, 'accept-encoding': accepted }
    }).end()
    const [response] = await once(sent, 'response')
    t.equal(response.headers['content-encoding'], expected)
    const bytes = Buffer.concat(await response.toArray())
    const text = expected === undefined ? bytes : gunzipSync(bytes)
    t.same(linesOf(text.toString()).events.map(({ id }) => id), ids)
  }
})

t.test('exports of events and of refused events share the limit of an organisation, and the option disables ' +
  'both', async (t) => {
  const large = () => ({ payload: 'x'.repeat(20_000) })
  const { gateway, get } = await setUp(t, 1_500, large, { api: { exports: { maxExports: 1 } } })
  const events = await fetch(`${gateway.origin}/v1/admin/events/export`, {
    headers: { authorization: `Bearer ${gateway.owner.token}` }
  })
  t.equal((await events.text()).length > 0, true)
  const running = await openExport(gateway, '', gateway.owner.token, PATH)
  t.equal(running.statusCode, 200)
  for (const path of [PATH, '/v1/admin/events/export']) {
    const refused = await openExport(gateway, '', gateway.owner.token, path)
    t.equal(refused.statusCode, 429, path)
    refused.resume()
  }
  running.on('error', () => {}).destroy()
  await gateway.audited('refused_events.exported', 'acme')
  t.equal((await get('?code=NONE')).status, 200)
  const disabled = await setUp(t, 1, large, { api: { exports: false } })
  t.equal((await disabled.get()).status, 404)
})
