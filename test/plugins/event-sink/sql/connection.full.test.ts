import { isDeepStrictEqual } from 'node:util'

import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { leakyPipe } from '../../../helpers/leaky-pipe.js'
import { truncateAll } from '../../../helpers/pglite.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const postgres = await privatePostgres(t)
if (postgres === null) process.exit(0)
const database = await openDatabase({ url: postgres.url })
t.teardown(() => database.close())

/** More data than the socket buffers hold. */
const large = (letter: string) =>
  Array.from({ length: 200 }, () => anEvent({ payload: JSON.stringify({ letter, filler: letter.repeat(60_000) }) }))

for (const owner of ['ours', "the caller's"] as const) {
  t.test(
    `a connection that accepts no more data is replaced after the query timeout (pool: ${owner})`,
    { timeout: 60_000 },
    async (t) => {
      await truncateAll(database)
      const pipe = await leakyPipe(t, postgres.url)
      const pool = new pg.Pool({ connectionString: pipe.url, max: 1, query_timeout: 1_000 })
      pool.on('error', () => {})
      const behind = await openDatabase(
        owner === 'ours' ? { url: pipe.url, maxConnections: 1, queryTimeout: 1_000 } : { pool }
      )
      t.teardown(async () => {
        await behind.close()
        await pool.end()
      })
      const sink = await sqlSink(behind)
      const before = pipe.served()
      pipe.clog()
      const stuck = large('a')
      await t.rejects(sink.write(stuck), { code: 'UNAVAILABLE' })
      const next = large('b')
      await sink.write(next)
      t.equal(pipe.served(), before + 1)
      t.ok(
        isDeepStrictEqual((await listed(sink, 'org-a')).reverse(), next),
        'the data of the next write is intact'
      )
      await sink.write(stuck)
      t.equal((await listed(sink, 'org-a')).length, 400)
    }
  )
}

t.test('a pool with one connection also serves other queries while events arrive continuously', async (t) => {
  await truncateAll(database)
  const behind = await openDatabase({ url: postgres.url, maxConnections: 1 })
  t.teardown(() => behind.close())
  const sink = await sqlSink(behind, { maxBatch: 4 })
  let written = 0
  const load = { over: false }
  const writers = Array.from({ length: 16 }, async () => {
    for (; !load.over; written++) await sink.write([anEvent()])
  })
  // ready() rejects after 2 s.
  for (let times = 0; times < 5; times++) await behind.ready()
  load.over = true
  await Promise.all(writers)
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from events`.execute(database.db)
  t.equal(rows[0]?.n, written)
})

t.test('a write whose connection breaks is UNAVAILABLE and stores no event, and the next write has ' +
  'a new connection', async (t) => {
  await truncateAll(database)
  const pipe = await leakyPipe(t, postgres.url)
  const behind = await openDatabase({ url: pipe.url })
  t.teardown(() => behind.close())
  const sink = await sqlSink(behind)
  const events = large('c')
  pipe.clog()
  const write = t.rejects(sink.write(events), { code: 'UNAVAILABLE', retryAfterSeconds: 1 })
  pipe.cut()
  await write
  await sink.write(events)
  t.ok(isDeepStrictEqual((await listed(sink, 'org-a')).reverse(), events))
})

t.test('a server process that ends during a COPY fails only that write, and the next write succeeds', async (t) => {
  await truncateAll(database)
  const pool = new pg.Pool({ connectionString: postgres.url })
  pool.on('error', () => {})
  t.teardown(() => pool.end())
  const sink = await sqlSink(await openDatabase({ pool }))
  const events = large('d')
  await database.db.transaction().execute(async (holder) => {
    await sql`lock table events in access exclusive mode`.execute(holder)
    const write = t.rejects(sink.write(events), { code: 'UNAVAILABLE' })
    for (let ended = 0; ended === 0;) {
      const { rows } =
        await sql`select pg_terminate_backend(pid) from pg_locks where not granted and relation = 'events'::regclass`
          .execute(database.db)
      ended = rows.length
    }
    await write
  })
  await sink.write(events)
  t.ok(isDeepStrictEqual((await listed(sink, 'org-a')).reverse(), events))
})
