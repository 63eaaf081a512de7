import type { Worker } from 'node:worker_threads'
import t from 'tap'

import { createPglitePool } from '../../../lib/database/pglite/pool.js'
import { startPgliteThread } from '../../../lib/database/pglite/thread.js'
import type { PostgresPoolSlice } from '../../../lib/database/postgres/pool-slice.js'

let worker: Worker | undefined
process.once('worker', (started) => {
  worker = started
})
const pool = createPglitePool(await startPgliteThread())
t.teardown(() => pool.end())

async function query (sql: string, params: unknown[] = [], from: PostgresPoolSlice = pool) {
  const client = await from.connect()
  try {
    return await client.query(sql, params)
  } finally {
    client.release()
  }
}

t.test('callers get the connection in order, and transactions do not interleave', async (t) => {
  await query('create table steps (at serial, who int)')
  await Promise.all([1, 2, 3].map(async (who) => {
    const client = await pool.connect()
    await client.query('begin', [])
    for (let step = 0; step < 5; step++) {
      await client.query('insert into steps (who) values ($1)', [who])
      await new Promise((resolve) => setImmediate(resolve))
    }
    await client.query('commit', [])
    client.release()
  }))
  const { rows } = await query('select who from steps order by at')
  t.strictSame(rows, [1, 2, 3].flatMap((who) => Array(5).fill({ who })))
})

t.test('a refused statement rejects with the SQLSTATE and fields of PostgreSQL, without its parameters', async (t) => {
  await query('create table only_one (n int constraint only_one_key unique, secret text)')
  await query('insert into only_one values (1)')
  const error = await query('insert into only_one values ($1, $2)', [1, 'hidden']).then(
    () => t.fail('accepted'),
    (error: unknown) => error
  )
  t.match(error, { code: '23505', table: 'only_one', constraint: 'only_one_key', message: /duplicate key/ })
  t.notMatch(JSON.stringify(error), 'hidden')
  await t.rejects(query('selec 1'), { code: '42601' })
  await t.rejects(query('select $1::int', ['x']), { code: '22P02' })
})

t.test('timers run while a query is slow', async (t) => {
  let ticks = 0
  const timer = setInterval(() => {
    ticks++
  }, 5)
  await query('select count(*) from generate_series(1, 2000000)')
  clearInterval(timer)
  t.ok(ticks > 3, `${ticks} ticks`)
})

t.test('several statements without parameters run as one, and the last result counts', async (t) => {
  t.strictSame((await query('select 1 as a; select 2 as b')).rows, [{ b: 2 }])
})

t.test('a transaction left open is rolled back before the next caller gets the connection', async (t) => {
  await query('create table kept (n int)')
  const careless = await pool.connect()
  await careless.query('begin', [])
  await careless.query('insert into kept values (1)', [])
  careless.release()
  t.strictSame((await query('select * from kept')).rows, [])
  await t.rejects(careless.query('select 1', []), /released/)
})

t.test('end() finishes earlier queries and refuses later queries', async (t) => {
  const other = createPglitePool(await startPgliteThread())
  const running = query('select count(*)::int as n from generate_series(1, 300000)', [], other)
  const queued = query('select 2 as n', [], other)
  const ended = other.end()
  await t.rejects(other.connect(), /closed/)
  t.strictSame((await running).rows, [{ n: 300_000 }])
  t.strictSame((await queued).rows, [{ n: 2 }])
  await ended
  await other.end()
})

t.test('pending and later queries reject with a clear error when the thread ends', async (t) => {
  const outcomes = Promise.allSettled([query('select count(*) from generate_series(1, 50000000)'), query('select 1')])
  setTimeout(() => worker?.terminate(), 100)
  t.match(
    await outcomes,
    Array(2).fill({
      status: 'rejected',
      reason: { code: 'DATABASE_STOPPED', message: 'The embedded database has stopped' }
    })
  )
  await t.rejects(query('select 1'), { code: 'DATABASE_STOPPED' })
})
