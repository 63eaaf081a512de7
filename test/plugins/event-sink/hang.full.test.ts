import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

/** Two pools on one PostgreSQL, of which the second blocks the first. */
async function twoPools (t: Test, options: { maxConnections?: number, queryTimeout?: number } = {}) {
  const postgres = await privatePostgres(t)
  if (postgres === null) return null
  const database = await openDatabase({ url: postgres.url, ...options })
  const other = await openDatabase({ url: postgres.url })
  t.teardown(async () => {
    await other.close()
    await database.close()
  })
  /** Locks the table of ids until the returned function is called. */
  async function holdUp () {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let ended: Promise<void> = Promise.resolve()
    await new Promise<void>((resolve, reject) => {
      ended = other.db.transaction().execute(async (transaction) => {
        await sql`lock table event_ids in access exclusive mode`.execute(transaction)
        resolve()
        await held
      })
      ended.catch(reject)
    })
    return async () => {
      release()
      await ended
    }
  }
  return { database, holdUp }
}

t.test('writes fail with UNAVAILABLE while a statement hangs, work again afterwards, and a repeat ' +
  'is stored once', async (t) => {
  const pools = await twoPools(t)
  if (pools === null) return
  const sink = await sqlSink(pools.database, { ackTimeout: 300 })
  const release = await pools.holdUp()
  const events = [anEvent(), anEvent()]
  await Promise.all(
    events.map((event) => t.rejects(sink.write([event]), { code: 'UNAVAILABLE', retryAfterSeconds: 1 }))
  )
  await release()
  const patient = await sqlSink(pools.database)
  for (const event of events) await patient.write([event])
  await sink.write([anEvent({ messageId: 'after' })])
  const stored = (await listed(sink, 'org-a')).map(({ messageId }) => messageId)
  t.same(stored.sort(), [...events.map(({ messageId }) => messageId), 'after'].sort())
})

t.test('the sink and the database close although a statement hangs', async (t) => {
  const pools = await twoPools(t)
  if (pools === null) return
  const sink = await sqlSink(pools.database, { ackTimeout: 300 })
  const release = await pools.holdUp()
  const write = t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  await sink.close()
  await pools.database.close()
  await write
  // The statement has hung until now.
  await release()
})

t.test('a connection that does not respond is replaced for the next query', async (t) => {
  const pools = await twoPools(t, { maxConnections: 1, queryTimeout: 500 })
  if (pools === null) return
  const { db } = pools.database
  const backend = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid
  const first = await backend()
  t.equal(await backend(), first)
  await t.rejects(sql`select pg_sleep(20)`.execute(db), { code: '57014' })
  t.equal(await backend(), first, 'a statement that the server cancels in time keeps the connection')
  await t.rejects(sql`set statement_timeout = 0; select pg_sleep(20)`.execute(db), /timeout/)
  t.not(await backend(), first)
  const second = await backend()
  await t.rejects(sql`select 1 / 0`.execute(db), { code: '22012' })
  t.equal(await backend(), second, 'a statement that the server refuses keeps the connection')
})
