import { sql } from 'kysely'
import t from 'tap'

import { emptyDatabase } from '../../helpers/pglite.js'

t.test('every test of a file gets the same migrated database with empty tables', async (t) => {
  const first = await emptyDatabase()
  await sql`create table if not exists filled (n int)`.execute(first.db)
  await sql`insert into filled values (1)`.execute(first.db)
  const second = await emptyDatabase()
  t.equal(second, first)
  t.strictSame((await sql`select n from filled`.execute(second.db)).rows, [])
  t.not((await sql`select name from gatehouse_migration`.execute(second.db)).rows.length, 0)
})
