import { setTimeout as sleep } from 'node:timers/promises'

import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'

t.test('on the embedded database lists run one at a time, after waiting writes', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  const done: string[] = []
  const slow = async (name: string) => {
    await sql`select count(*) from generate_series(1, 20000)`.execute(database.db)
    done.push(name)
  }
  const read = (name: string) =>
    database.lists.read(async (db) => {
      await sql`select 1`.execute(db)
      done.push(name)
    })
  await Promise.all([slow('write 1'), read('list 1'), read('list 2'), slow('write 2'), slow('write 3')])
  t.same(done.filter((name) => name.startsWith('write')), ['write 1', 'write 2', 'write 3'])
  t.ok(done.indexOf('list 1') > done.indexOf('write 2'), done.join(', '))
  t.ok(done.indexOf('list 2') > done.indexOf('list 1'))
})

t.test('a waiting list whose client disconnects does not run, and other lists run', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  const leaving = new AbortController()
  let asked = 0
  const first = database.lists.read(async (db) =>
    await sql`select count(*) from generate_series(1, 200000)`.execute(db)
  )
  const left = database.lists.read(async () => {
    asked++
  }, leaving.signal)
  const stays = database.lists.read(async () => {
    asked += 10
  })
  await sleep(5)
  leaving.abort()
  await t.rejects(left, { name: 'AbortError' })
  await Promise.all([first, stays])
  t.equal(asked, 10)
  await t.rejects(
    database.lists.read(async () => {
      asked++
    }, AbortSignal.abort()),
    { name: 'AbortError' }
  )
  t.equal(asked, 10)
})
