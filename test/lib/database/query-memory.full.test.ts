import { setFlagsFromString, getHeapSpaceStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { privatePostgres } from '../../helpers/postgres.js'

const QUERIES = 60
const ROWS = 250
const ROW_BYTES = 1_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void

/** Bytes of the old generation after a number of queries, whose rows nobody keeps. */
async function growthOf (read: () => Promise<unknown>): Promise<number> {
  const rounds = async () => {
    for (let query = 0; query < QUERIES; query++) {
      await read()
      collect({ type: 'minor' })
    }
  }
  await rounds()
  collect({ type: 'major' })
  const before = oldGeneration()
  await rounds()
  return oldGeneration() - before
}

function oldGeneration (): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name === 'old_space' || name === 'large_object_space')
    .reduce((sum, { space_used_size: size }) => sum + size, 0)
}

function rowsOf (database: Database): () => Promise<unknown> {
  const query = sql`select repeat(chr(65 + n % 26), ${sql.lit(ROW_BYTES)}) as text
    from generate_series(1, ${sql.lit(ROWS)}) n`
  return () => database.lists.read((db) => query.execute(db))
}

t.test('rows of PostgreSQL that have been used are collected with the young generation', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url })
  t.teardown(() => database.close())
  const growth = await growthOf(rowsOf(database))
  t.ok(growth < QUERIES * ROWS * ROW_BYTES / 4, `${growth} bytes`)
})
