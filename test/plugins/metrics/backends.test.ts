import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import type { Database } from '../../../lib/database/open-database.js'
import eventSink from '../../../plugins/event-sink/index.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import metrics from '../../../plugins/metrics/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { anEvent } from '../../../conformance/event-sink/fixtures.js'
import { scraped } from '../../helpers/metrics.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { makeSource } from '../../helpers/source.js'

const secretsKeys = ['a key that seals what these tests store']
const LOOKUPS = 'gatehouse_lookups_total'
const CONNECTIONS = 'gatehouse_database_connections'

async function appOn (t: Test, database: Database): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics)
  await app.register(tokenStore, { store: sqlStore(database, { secretsKeys }), sweepEvery: 0 })
  await app.register(eventSink, { sink: await sqlSink(database), sweepEvery: 0 })
  return app
}

t.test('look-ups are counted by kind and by the level that had the answer', async (t) => {
  const app = await appOn(t, await emptyDatabase())
  const { sources, revocations } = app.tokenStore
  const { key } = await makeSource(app.tokenStore)
  // The second look-up joins the first one, the third one is cached.
  await Promise.all([sources.resolve(key), sources.resolve(key)])
  await sources.resolve(key)
  const subjects = ['ann', 'bob'].map((subject) => ({ kind: 'user' as const, subject }))
  await revocations.cutoffs('acme', subjects)
  await revocations.cutoffs('acme', subjects)

  const samples = await scraped(app)
  const counted = (kind: string, level: string) => samples.sum(LOOKUPS, { kind, level })
  t.same([counted('source', 'process'), counted('source', 'shared'), counted('source', 'database')], [2, 0, 1])
  t.same([counted('revocation', 'process'), counted('revocation', 'database')], [2, 2])
  t.equal((await scraped(app)).sum(LOOKUPS), samples.sum(LOOKUPS), 'a scrape adds nothing')
})

t.test('the connections of a pool that store and sink share are counted once', async (t) => {
  const app = await appOn(t, await emptyDatabase())
  const samples = await scraped(app)
  t.equal(samples.sum(CONNECTIONS, { pool: 'requests', state: 'in_use' }), 0)
  t.equal(samples.sum(CONNECTIONS, { pool: 'requests', state: 'idle' }), 1)
  t.same(samples.values(CONNECTIONS, 'pool'), ['requests'])
})

t.test('callers that wait for a connection are counted', async (t) => {
  const database = await emptyDatabase()
  const app = await appOn(t, database)
  let release = (): void => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  const holder = database.db.transaction().execute(() => held)
  const waiting = Array.from({ length: 3 }, () => database.db.selectFrom('sources').selectAll().execute())
  await sleep(50)
  const samples = await scraped(app)
  t.equal(samples.sum(CONNECTIONS, { state: 'in_use' }), 1)
  t.equal(samples.sum(CONNECTIONS, { state: 'waiting' }), 3)
  release()
  await Promise.all([holder, ...waiting])
  t.equal((await scraped(app)).sum(CONNECTIONS, { state: 'waiting' }), 0)
})

t.test('flushes are counted with their events, their time and their outcome, and pending events are shown', async (t) => {
  let isBroken = false
  // Fails as a lost connection does, or with a data error, after which the sink inserts the events.
  const copy = () => Promise.reject(Object.assign(new Error('test'), { code: isBroken ? '57P01' : '22000' }))
  const app = await appOn(t, { ...await emptyDatabase(), copy })
  const { eventSink: sink } = app
  await sink.write([anEvent(), anEvent(), anEvent()])
  const writes = [sink.write([anEvent()]), sink.write([anEvent()])]
  t.equal((await scraped(app)).sum('gatehouse_sink_pending_events'), 2)
  await Promise.all(writes)
  let samples = await scraped(app)
  t.equal(samples.sum('gatehouse_sink_pending_events'), 0)
  t.equal(samples.sum('gatehouse_sink_flush_events_sum'), 5)
  // The two writes of one turn of the event loop are stored by one flush.
  t.equal(samples.sum('gatehouse_sink_flush_events_count'), 2)
  t.equal(samples.sum('gatehouse_sink_flush_duration_seconds_count', { outcome: 'stored' }), 2)
  t.ok(samples.sum('gatehouse_sink_flush_duration_seconds_sum') > 0)
  t.equal(samples.sum('gatehouse_events_total', { outcome: 'accepted' }), 5)

  isBroken = true
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  samples = await scraped(app)
  t.equal(samples.sum('gatehouse_sink_flush_duration_seconds_count', { outcome: 'failed' }), 1)
  t.equal(samples.sum('gatehouse_events_total', { outcome: 'accepted' }), 5, 'a failed flush stores nothing')
})
