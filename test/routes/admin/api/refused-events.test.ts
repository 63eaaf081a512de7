import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../../../plugins/event-sink/index.js'
import type { NewSource, RefusedEvent } from '../../../../contracts/token-store/index.js'
import ingestion from '../../../../routes/ingestion/index.js'
import { aRefusedEvent } from '../../../../conformance/token-store/fixtures.js'
import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { keptEvents } from '../../../helpers/refused-events.js'
import { makeSource } from '../../../helpers/source.js'

const LIMITS = { maxRows: 1_000, maxBytes: 1_000_000 }
const NEW = 'https://new.example.com'

async function setUp (t: Test, settings: Partial<NewSource> = {}) {
  const admin = await adminApp(t, {
    before: async (app, sink) => {
      await app.register(eventSink, { sink })
      await app.register(ingestion, { rateLimit: false, eventRate: false })
    }
  })
  const owner = await caller(admin, 'owner', 'acme')
  const made = await makeSource(admin.store, { keepRefused: true, ...settings })
  const send = async (body: unknown) => await admin.app.inject({
    method: 'POST',
    url: '/v1/t',
    payload: body as object,
    headers: { authorization: `Bearer ${made.key}`, origin: NEW }
  })
  const refused = async (fields: Partial<RefusedEvent> = {}) => {
    const event = aRefusedEvent({ orgId: 'acme', sourceId: made.source.id, origin: NEW, ...fields })
    await admin.store.refusedEvents.append([event], LIMITS)
    return event
  }
  const replays = async (count: number) =>
    (await admin.audited('refused_event.replayed', 'acme', count)).filter(({ action }) =>
      action === 'refused_event.replayed'
    )
  return { ...admin, ...made, owner, send, refused, replays }
}

t.test('a refused request is listed and read with its reason and its body', async (t) => {
  const made = await setUp(t)
  t.equal((await made.send({ event: 'A', messageId: 'm-1' })).statusCode, 403)
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  const expected = {
    id,
    source_id: made.source.id,
    code: 'ORIGIN_NOT_ALLOWED',
    reason: `the origin "${NEW}" is not allowed`,
    origin: NEW,
    path: '/v1/t',
    payload: '{"event":"A","messageId":"m-1"}',
    replayable: true,
    replayed_at: null
  }
  const list = await made.owner.get('/refused-events')
  t.equal(list.statusCode, 200)
  t.match(list.json(), { data: [expected], has_more: false })
  const one = await made.owner.get(`/refused-events/${id}`)
  t.same(one.json(), list.json().data[0])
  t.notOk(list.body.includes(made.key))
})

t.test('each filter selects refused events', async (t) => {
  const { owner, refused, source } = await setUp(t)
  const one = await refused({ code: 'INVALID_JSON', type: 'page', messageId: 'a b+', receivedAt: Date.parse('2026-01-01') })
  const other = await refused({ origin: null, receivedAt: Date.parse('2026-02-01') })
  const cases: Array<[string, string[]]> = [
    [`source_id=${source.id}`, [other.id, one.id]],
    ['source_id=none', []],
    ['code=INVALID_JSON', [one.id]],
    [`origin=${encodeURIComponent(NEW)}`, [one.id]],
    ['type=page', [one.id]],
    ['message_id=a%20b%2B', [one.id]],
    ['from=2026-01-15T00:00:00Z', [other.id]],
    ['to=2026-01-15T00:00:00Z', [one.id]],
    ['replayed=true', []],
    ['replayed=false', [other.id, one.id]]
  ]
  for (const [query, ids] of cases) {
    const reply = await owner.get(`/refused-events?${query}`)
    t.same(reply.json().data.map(({ id }: { id: string }) => id), ids, query)
  }
  for (const query of ['replayed=maybe', 'code=x', 'from=never', 'type=none', 'unknown=1']) {
    const reply = await owner.get(`/refused-events?${query}`)
    t.same([reply.statusCode, reply.json().error.code], [400, 'INVALID_REQUEST'], query)
  }
})

t.test('a refused event is deleted, with an audit entry', async (t) => {
  const { owner, refused, audited, source } = await setUp(t)
  const { id } = await refused()
  t.equal((await owner.send('DELETE', `/refused-events/${id}`)).statusCode, 204)
  t.equal((await owner.send('DELETE', `/refused-events/${id}`)).statusCode, 404)
  t.match(await audited('refused_event.deleted', 'acme'), [{
    resourceType: 'refused_event', resourceId: id, changes: { source_id: source.id, code: 'ORIGIN_NOT_ALLOWED' }
  }])
})

t.test('a refused event is replayed once the domain is allowed, with an audit entry', async (t) => {
  const { owner, refused, replays, source } = await setUp(t)
  const { id } = await refused()
  const url = `/refused-events/${id}/replay`
  t.match((await owner.send('POST', url)).json(), { outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED' })
  await owner.send('PATCH', `/sources/${source.id}`, { domains: [NEW] })
  const reply = await owner.send('POST', url)
  t.equal(reply.statusCode, 200)
  t.same(reply.json(), {
    id, outcome: 'replayed', events: { stored: 1, duplicate: 0, dropped: 0, refused: 0 }, code: null, reason: null
  })
  t.match((await owner.send('POST', url)).json(), { outcome: 'already_replayed', events: { stored: 0 } })
  t.match((await owner.get('/events')).json().data, [{ event: 'Order Completed', messageId: `replayed-${id}-0` }])
  t.match((await owner.get(`/refused-events/${id}`)).json(), { replayed_at: /^\d{4}-/ })
  t.match(await replays(3), [
    { resourceId: id, changes: { outcome: 'already_replayed' } },
    { resourceId: id, changes: { outcome: 'replayed', stored: 1 } },
    { resourceId: id, changes: { outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED' } }
  ])
})

t.test('the events of a filter are replayed page by page, each once', async (t) => {
  const { owner, refused, source, replays } = await setUp(t, { domains: [NEW] })
  for (let at = 0; at < 5; at++) await refused({ messageId: `m-${at}`, receivedAt: at, payload: `{"event":"${at}","messageId":"m-${at}"}` })
  const bad = await refused({ code: 'INVALID_REQUEST', payload: '{"event":5}', receivedAt: 9 })
  const other = await refused({ code: 'INVALID_JSON', receivedAt: 10 })
  const filter = { source_id: source.id, to: '2026-01-01T00:00:00Z' }
  const first = (await owner.send('POST', '/refused-events/replay', { ...filter, code: 'ORIGIN_NOT_ALLOWED', limit: 3 })).json()
  t.match(first, { replayed: 3, events: { stored: 3 }, still_refused: [], has_more: true })
  const resume = { ...filter, code: 'ORIGIN_NOT_ALLOWED', limit: 3, cursor: first.next_cursor }
  t.match((await owner.send('POST', '/refused-events/replay', resume)).json(), {
    replayed: 2, events: { stored: 2 }, has_more: false, next_cursor: null
  })
  const foreign = await owner.send('POST', '/refused-events/replay', { ...resume, code: 'INVALID_JSON' })
  t.equal(foreign.statusCode, 400, 'a cursor of another filter')
  t.match((await owner.send('POST', '/refused-events/replay', filter)).json(), {
    replayed: 1, still_refused: [{ id: bad.id, code: 'INVALID_REQUEST', reason: /event/ }], has_more: false
  })
  t.equal((await owner.get('/events')).json().data.length, 6)
  t.type((await owner.get(`/refused-events/${other.id}`)).json().replayed_at, 'string')
  t.match(await replays(3), [
    { changes: { replayed: 1, still_refused: 1 } }, { changes: { replayed: 2 } }, { changes: { replayed: 3 } }
  ])
})

t.test('the refused events of another organisation are 404, and no filter selects them', async (t) => {
  const made = await setUp(t, { domains: [NEW] })
  const { id } = await made.refused()
  const stranger = await caller(made, 'owner', 'other')
  for (const [method, path] of [
    ['GET', `/refused-events/${id}`], ['DELETE', `/refused-events/${id}`], ['POST', `/refused-events/${id}/replay`]
  ] as const) {
    const reply = await stranger.send(method, path)
    t.same([reply.statusCode, reply.json().error.code], [404, 'NOT_FOUND'], `${method} ${path}`)
  }
  t.same((await stranger.get('/refused-events')).json().data, [])
  t.match((await stranger.send('POST', '/refused-events/replay', { source_id: made.source.id })).json(), { replayed: 0 })
  t.equal((await made.owner.get(`/refused-events/${id}`)).json().replayed_at, null)
})
