import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../../../plugins/event-sink/index.js'
import ingestion from '../../../../routes/ingestion/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { aSource } from '../../../../conformance/token-store/fixtures.js'
import { adminApp } from '../../../helpers/admin.js'
import type { AdminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 14)
const iso = (time: number) => new Date(time).toISOString()

async function app (t: Test): Promise<AdminApp> {
  const admin = await adminApp(t, {
    before: async (app, sink) => {
      await app.register(eventSink, { sink })
      await app.register(ingestion, { rateLimit: false, eventRate: false })
    }
  })
  admin.clock.now = START + 2 * DAY
  return admin
}

async function stats (admin: AdminApp, path = '', role: 'owner' | 'viewer' = 'viewer', orgId = 'default') {
  const { token } = await session(admin, role, orgId)
  return await admin.app.inject({ url: `/v1/admin/stats${path}`, headers: { authorization: `Bearer ${token}` } })
}

const sessions = new WeakMap<AdminApp, Map<string, ReturnType<typeof caller>>>()
function session (admin: AdminApp, role: 'owner' | 'viewer', orgId: string) {
  const known = sessions.get(admin) ?? new Map<string, ReturnType<typeof caller>>()
  sessions.set(admin, known)
  const made = known.get(`${role} ${orgId}`) ?? caller(admin, role, orgId)
  known.set(`${role} ${orgId}`, made)
  return made
}

t.test('events are series by hour and totals by outcome and source', async (t) => {
  const admin = await app(t)
  const now = admin.clock.now
  const payload = '{"event":"e"}'
  const of = (sourceId: string, receivedAt: number) => anEvent({ orgId: 'default', sourceId, receivedAt, payload })
  const repeated = of('src_a', now - HOUR)
  await admin.app.eventSink.write([of('src_a', now - 2 * HOUR), of('src_b', now - HOUR), repeated, repeated])
  await admin.store.counts.add([
    {
      orgId: 'default',
      kind: 'source',
      id: 'src_a',
      outcome: 'refused:ORIGIN_NOT_ALLOWED',
      events: 7,
      bytes: 0,
      hour: now - HOUR,
      lastAt: now - 5
    },
    {
      orgId: 'default',
      kind: 'source',
      id: 'src_b',
      outcome: 'bot',
      events: 3,
      bytes: 0,
      hour: now - HOUR,
      lastAt: now - 5
    }
  ])
  const reply = await stats(admin, `?from=${iso(now - 3 * HOUR)}&to=${iso(now)}`)
  t.equal(reply.statusCode, 200)
  const bytes = payload.length
  const none = { accepted: 0, deduplicated: 0, bot: 0, refused: 0, bytes: 0, refused_by_code: {} }
  const { times, interval, events, sources } = reply.json()
  t.equal(interval, 'hour')
  t.same(times, [3, 2, 1].map((hours) => iso(now - hours * HOUR)))
  t.same(events, {
    totals: {
      accepted: 3, deduplicated: 1, bot: 3, refused: 7, bytes: 3 * bytes, refused_by_code: { ORIGIN_NOT_ALLOWED: 7 }
    },
    series: {
      accepted: [0, 1, 2], deduplicated: [0, 0, 1], bot: [0, 0, 3], refused: [0, 0, 7], bytes: [0, bytes, 2 * bytes]
    }
  })
  t.same(sources, [
    {
      source_id: 'src_a',
      ...none,
      accepted: 2,
      deduplicated: 1,
      refused: 7,
      bytes: 2 * bytes,
      refused_by_code: { ORIGIN_NOT_ALLOWED: 7 },
      last_event_at: iso(now - HOUR)
    },
    { source_id: 'src_b', ...none, accepted: 1, bot: 3, bytes, last_event_at: iso(now - HOUR) }
  ])
  const one = (await stats(admin, `?source_id=src_b&from=${iso(now - 3 * HOUR)}&to=${iso(now)}`)).json()
  t.same(one.events.totals, { ...none, accepted: 1, bot: 3, bytes })
  t.same(one.sources, [sources[1]])
})

t.test('an event that the gateway accepted or refused is in the next statistics', async (t) => {
  const admin = await app(t)
  admin.clock.now = Date.now()
  const { pipelineKey, id } = await admin.store.sources.create(aSource({ orgId: 'default' }))
  const headers = { authorization: `Bearer ${pipelineKey}` }
  for (const payload of [{ event: 'e', userId: 'u' }, { event: 5 }]) {
    await admin.app.inject({ method: 'POST', url: '/v1/t', headers, payload })
  }
  const { events, sources } = (await stats(admin, `?to=${iso(Date.now() + HOUR)}`)).json()
  t.match(events.totals, { accepted: 1, refused: 1, refused_by_code: { INVALID_REQUEST: 1 } })
  t.match(sources, [{ source_id: id, accepted: 1, refused: 1 }])
})

t.test('a source without events in the period shows when its last event came', async (t) => {
  const admin = await app(t)
  const at = admin.clock.now - 30 * DAY
  await admin.app.eventSink.write([anEvent({ orgId: 'default', sourceId: 'src_quiet', receivedAt: at })])
  const { sources, events } = (await stats(admin)).json()
  t.match(sources, [{ source_id: 'src_quiet', accepted: 0, last_event_at: iso(at) }])
  t.equal(events.totals.accepted, 0)
})

t.test('an organisation sees no counts of another one', async (t) => {
  const admin = await app(t)
  const at = admin.clock.now - HOUR
  await admin.app.eventSink.write([anEvent({ orgId: 'other', sourceId: 'src_other', receivedAt: at })])
  const fields = { orgId: 'other', events: 9, bytes: 9, hour: at, lastAt: at }
  await admin.store.counts.add([
    { ...fields, kind: 'source', id: 'src_other', outcome: 'bot' },
    { ...fields, kind: 'embed', id: 'boldbi', outcome: 'minted' },
    { ...fields, kind: 'admin', id: '', outcome: 'refresh:rotated' }
  ])
  for (const path of ['', '?source_id=src_other']) {
    const { events, sources, embeds, logins } = (await stats(admin, path)).json()
    t.equal(events.totals.accepted + events.totals.bot, 0)
    t.same([sources, embeds.products, logins.totals['refresh:rotated']], [[], [], undefined])
  }
  const { events, sources, embeds, logins } = (await stats(admin, '', 'viewer', 'other')).json()
  t.match(events.totals, { accepted: 1, bot: 9 })
  t.equal(sources.length, 1)
  t.match(embeds, { products: [{ product: 'boldbi', minted: 9 }] })
  t.equal(logins.totals['refresh:rotated'], 9)
  t.equal(logins.active_sessions, 1, 'the session of the viewer of the other organisation')
})

t.test('embeds are totals by product and series by outcome', async (t) => {
  const admin = await app(t)
  const hour = admin.clock.now - HOUR
  const add = async (id: string, outcome: string, events: number) =>
    await admin.store.counts.add([
      { orgId: 'default', kind: 'embed', id, outcome, events, bytes: 0, hour, lastAt: hour }
    ])
  await add('databrain', 'minted', 2)
  await add('databrain', 'cached', 5)
  await add('boldbi', 'minted', 1)
  await add('boldbi', 'refused:FORBIDDEN', 4)
  const { products, series } = (await stats(admin)).json().embeds
  t.same(products, [
    { product: 'boldbi', minted: 1, cached: 0, refused: 4, refused_by_code: { FORBIDDEN: 4 } },
    { product: 'databrain', minted: 2, cached: 5, refused: 0, refused_by_code: {} }
  ])
  t.same([series.minted.at(-1), series.cached.at(-1), series.refused.at(-1), series.minted.length], [3, 5, 4, 24])
})

t.test('logins, failures and refreshes are counted, and live sessions', async (t) => {
  const admin = await app(t)
  admin.clock.now = Date.now()
  await admin.addUser('someone@example.com')
  const { refresh_token: token } = await admin.login('someone@example.com')
  await admin.refresh(token)
  await admin.refresh('no token')
  for (let time = 0; time < 2; time++) await admin.post('login', { email: 'someone@example.com', password: 'wrong' })
  const { logins } = (await stats(admin, `?to=${iso(Date.now() + HOUR)}`)).json()
  t.same(logins, {
    totals: { 'login:password': 2, login_failed: 2, 'refresh:rotated': 1, 'refresh:refused': 1 },
    active_sessions: 2
  })
})

t.test('the interval is a day above 7 days, and a series has at most 1 000 points', async (t) => {
  const admin = await app(t)
  const now = admin.clock.now
  const shape = async (query: string) => {
    const reply = await stats(admin, query)
    return reply.statusCode === 200 ? [reply.json().interval, reply.json().times.length] : reply.statusCode
  }
  t.same(await shape(''), ['hour', 24])
  t.same(await shape(`?from=${iso(now - 7 * DAY)}`), ['hour', 168])
  t.same(await shape(`?from=${iso(now - 7 * DAY - 1)}`), ['day', 8])
  t.same(await shape(`?from=${iso(now - 400 * DAY)}`), ['day', 400])
  t.same(await shape(`?interval=hour&from=${iso(now - 1_000 * HOUR)}`), ['hour', 1_000])
  t.same(await shape(`?from=${iso(now - 90_000)}&to=${iso(now - 1)}`), ['hour', 1], 'a part of an hour')
  for (
    const query of [`?interval=hour&from=${iso(now - 1_001 * HOUR)}`, `?from=${iso(now - 400 * DAY - 1)}`,
      `?from=${iso(now)}&to=${iso(now)}`, `?from=${iso(now + 1)}`, '?from=1960-01-01T00:00:00Z&to=1960-01-02T00:00:00Z',
      '?interval=minute', '?from=yesterday', '?source=x']
  ) {
    const reply = await stats(admin, query)
    t.equal(reply.statusCode, 400, query)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', query)
  }
})
