import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import { eventPartitions } from '../../../../plugins/event-sink/sql/partitions.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
/** Long after the days that a new database begins with. */
const START = Date.UTC(2040, 1, 27)
const AHEAD = ['events_20400227', 'events_20400228', 'events_20400229', 'events_20400301']

async function tables ({ db }: Database): Promise<string[]> {
  const { rows } = await sql<
    { name: string }
  >`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass order by 1`.execute(
    db
  )
  return rows.map(({ name }) => name).filter((name) => /\d/.test(name))
}

async function tableOf ({ db }: Database, messageId: string): Promise<string | undefined> {
  return (await sql<
    { name: string }
  >`select tableoid::regclass::text as name from events where message_id = ${messageId}`.execute(db)).rows[0]?.name
}

/** Runs the tests on one database, which is emptied before each test. */
async function keepsDays (t: Test, database: Database): Promise<void> {
  t.beforeEach(async () => {
    for (const name of await tables(database)) await sql`drop table ${sql.table(name)}`.execute(database.db)
    await sql`truncate events, event_ids`.execute(database.db)
  })

  await t.test('today and the next three days have tables before the first event, and each sweep adds the ' +
    'next day', async (t) => {
    let now = START + 5 * HOUR
    const sink = await sqlSink(database, { now: () => now })
    t.same(await tables(database), AHEAD)
    const [today, overmorrow, later] = [anEvent({ receivedAt: now }), anEvent({ receivedAt: START + 4 * DAY - 1 }),
      anEvent({ receivedAt: START + 4 * DAY })]
    await sink.write([today, overmorrow, later])
    t.same(await Promise.all([today, overmorrow, later].map(({ messageId }) => tableOf(database, messageId))), [
      AHEAD[0],
      AHEAD[3],
      'events_default'
    ])

    now += DAY
    await sink.sweep?.()
    t.same(await tables(database), [...AHEAD, 'events_20400302'])
    t.equal(await tableOf(database, later.messageId), 'events_20400302', 'an event older than its table is moved')
    t.same(await listed(sink, 'org-a'), [later, overmorrow, today])
  })

  await t.test('an hour after its end, a day gets the indexes of searches, and the current day has none', async (t) => {
    let now = START
    const sink = await sqlSink(database, { now: () => now })
    const { list } = await eventPartitions(database)
    const indexed = async () =>
      (await list()).filter(({ since, lookups }) => since !== null && lookups.length === 6).map(({ name }) => name)
    for (const [hours, expected] of [[5, []], [24.9, []], [25, ['public.events_20400227']]] as const) {
      now = START + hours * HOUR
      await sink.sweep?.()
      t.same(await indexed(), expected)
    }
  })

  await t.test('an expired day is dropped with its table, and a partly expired day loses only its ' +
    'expired events', async (t) => {
    const sink = await sqlSink(database, { now: () => START })
    const events = [0, DAY - 1, DAY, DAY + HOUR, 2 * DAY - 1, 2 * DAY].map((after) =>
      anEvent({ receivedAt: START + after, orgId: after % 2 === 0 ? 'org-a' : 'org-b' })
    )
    const [ahead, behind] = [anEvent({ receivedAt: START + 9 * DAY }), anEvent({ receivedAt: START - 400 * DAY })]
    await sink.write([ahead, ...events, behind])
    await sink.expire?.(START + DAY + HOUR)
    t.same(await tables(database), AHEAD.slice(1))
    const left = [...await listed(sink, 'org-a'), ...await listed(sink, 'org-b')]
    t.same(
      left.map(({ messageId }) => messageId),
      [ahead, events[5], events[3], events[4]].map((event) => event?.messageId)
    )
    await sink.expire?.(START + DAY + HOUR)
    await sink.write([anEvent({ receivedAt: START })])
    t.equal((await listed(sink, 'org-a')).length, 4, 'an event of a day without a table is stored')
  })

  await t.test('a day with too many early events stays in the default table, and the other days get ' +
    'their tables', async (t) => {
    await sql`insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload, additions)
      select 'org-a', 's', n, 'track', 'key', ${new Date(
      START + DAY
    )}, now(), '::1', '{}', '{}' from generate_series(1, 10001) n`.execute(database.db)
    const sink = await sqlSink(database, { now: () => START })
    await sink.sweep?.()
    t.same(await tables(database), AHEAD.filter((name) => !name.endsWith('28')))
    t.equal((await listed(sink, 'org-a')).length, 10_001)
    await sink.expire?.(START + 2 * DAY)
    t.same(await listed(sink, 'org-a'), [])
  })
}

t.test('the embedded database keeps one table for each day', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  await keepsDays(t, database)

  await t.test('the table of a partly expired day is vacuumed on the embedded database, which has ' +
    'no autovacuum', async (t) => {
    const sink = await sqlSink(database, { now: () => START })
    const size = async () =>
      (await sql<{ bytes: string }>`select pg_relation_size('events_20400227') as bytes`.execute(database.db)).rows[0]
        ?.bytes
    await sink.write(Array.from({ length: 1_000 }, () => anEvent({ receivedAt: START })))
    t.not(await size(), '0')
    await sink.expire?.(START + 1)
    t.equal(await size(), '0')
  })
})

t.test('PostgreSQL keeps one table for each day', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  await keepsDays(t, database)

  t.test('five instances that create and drop the same days at once do not disturb each other', async (t) => {
    const others = await Promise.all([1, 2, 3, 4, 5].map(() => openDatabase({ url: server.url })))
    t.teardown(() => Promise.all(others.map((other) => other.close())))
    const sinks = await Promise.all(others.map((other) => sqlSink(other, { now: () => START })))
    t.same(await tables(database), AHEAD)
    const events = sinks.map((_sink, at) => anEvent({ receivedAt: START + at * HOUR }))
    await Promise.all(sinks.map((sink, at) => sink.write(events.slice(at, at + 1))))
    t.equal((await sinks[0]?.list('org-a', {}, { limit: 10 }))?.data.length, 5)
    for (let day = 1; day <= 4; day++) {
      await Promise.all(sinks.map((sink, at) => sink.expire?.(START + day * DAY + at)))
      t.same(await tables(database), AHEAD.slice(day))
    }
  })

  t.test('during a long read no day is created or dropped, and written events are moved to their ' +
    'day later', async (t) => {
    const now = { time: START }
    const sink = await sqlSink(database, { now: () => now.time, ackTimeout: 2_000 })
    const early = anEvent({ receivedAt: START + 5 * DAY })
    await database.db.transaction().execute(async (reader) => {
      await sql`select from events`.execute(reader)
      now.time += 2 * DAY
      await sink.sweep?.()
      t.same(await tables(database), AHEAD, 'the next days have tables already')
      now.time += 2 * DAY
      const sweep = t.rejects(async () => await sink.sweep?.(), { code: '55P03' }, 'the missing table is now an error')
      await sink.write([early])
      await sweep
      await t.rejects(async () => await sink.expire?.(START + DAY), { code: '55P03' })
    })
    t.equal(await tableOf(database, early.messageId), 'events_default')
    await sink.sweep?.()
    t.equal(await tableOf(database, early.messageId), 'events_20400303')
    await sink.expire?.(START + DAY)
    t.notOk((await tables(database)).includes('events_20400227'))
  })

  t.test('a list reads the tables in order by their index, with any number of days', async (t) => {
    const partitions = await eventPartitions(database)
    for (let day = 0; day < 40; day += 4) await partitions.prepare(START + day * DAY)
    const { rows } = await sql<
      { 'QUERY PLAN': string }
    >`explain select * from events where org_id = 'org-a' order by received_at desc, seq desc limit 51`.execute(
      database.db
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    t.match(plan, /Merge Append[\s\S]*Index Scan Backward using events_20400227_find/)
    t.notMatch(plan, /Sort(?! Key)|Seq Scan/)
  })
})
