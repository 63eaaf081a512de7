import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { appendCounts } from '../../../lib/database/counts/append.js'
import { countExpiry, foldCounts } from '../../../lib/database/counts/fold.js'
import { migrate } from '../../../lib/database/migrate.js'
import { migrations } from '../../../lib/database/migrations/index.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import type { Count } from '../../../contracts/counts.js'
import { privatePostgres } from '../../helpers/postgres.js'

const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '023'))
const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 14)

/** Counts of many sources in the hours from `first` to `end`. */
function countsOf (first: number, end: number): Count[] {
  return Array.from({ length: (end - first) * 6 }, (_value, place) => {
    const hour = START + (first + Math.floor(place / 6)) * HOUR
    return {
      orgId: place % 5 === 0 ? 'org-b' : 'org-a',
      kind: place % 3 === 0 ? 'source' : 'stored',
      id: `source-${place % 7}`,
      outcome: place % 2 === 0 ? 'accepted' : 'bot',
      hour,
      events: 1 + place,
      bytes: 10 * place,
      lastAt: hour + place
    }
  })
}

/** The differences between the sums and the counts, and the number of sums by day. */
async function compare ({ patient: db }: Database): Promise<{ wrong: unknown[], days: number }> {
  const different = async (one: string, other: string) =>
    (await sql.raw(`(${one} except ${other}) union all (${other} except ${one})`).execute(db)).rows
  const days = await different(
    'select org_id, kind, day, subject, outcome, events, bytes, last_at from count_days',
    `select org_id, split_part(subject, ':', 1), date_trunc('day', hour, 'UTC'), subject, outcome, sum(events)::bigint,
      sum(bytes)::bigint, max(last_at) from counts group by 1, 2, 3, 4, 5`
  )
  const hours = await different(
    'select org_id, kind, hour, outcome, events, bytes from count_hours',
    `select org_id, split_part(subject, ':', 1), hour, outcome, sum(events)::bigint, sum(bytes)::bigint
      from counts group by 1, 2, 3, 4`
  )
  const { rows: [count] } = await sql<{ days: number }>`select count(*)::int as days from count_days`.execute(db)
  return { wrong: [...days, ...hours], days: count?.days ?? 0 }
}

async function staysEqual (t: Test, database: Database): Promise<void> {
  await appendCounts(database.db, countsOf(0, 60))
  await foldCounts(database)
  await migrate(database.patient)
  const filled = await compare(database)
  t.same(filled.wrong, [], 'after the migration')
  t.ok(filled.days > 0)
  await appendCounts(database.db, countsOf(40, 80))
  await foldCounts(database)
  const folded = await compare(database)
  t.same(folded.wrong, [], 'after counts have been added and changed')
  t.ok(folded.days > filled.days)
  for (const hours of [30, 48, 55]) {
    await countExpiry(database, ['source', 'stored'])(START + hours * HOUR)
    t.same((await compare(database)).wrong, [], `without the first ${hours} hours`)
  }
  await countExpiry(database, ['source', 'stored'])(START + 100 * HOUR)
  t.same(await compare(database), { wrong: [], days: 0 }, 'without any')
}

t.test('sums of the embedded database equal the counts from before and after the migration', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await staysEqual(t, database)
})

t.test('sums of PostgreSQL equal the counts from before and after the migration', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url, migrations: before })
  t.teardown(() => database.close())
  await staysEqual(t, database)
})

t.test('sums equal the counts that several instances move and delete at the same time', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const databases = await Promise.all([1, 2, 3].map(() => openDatabase({ url: postgres.url })))
  t.teardown(() => Promise.all(databases.map((database) => database.close())))
  const [first] = databases
  if (first === undefined) return
  await Promise.all(databases.map(async (database, instance) => {
    const expire = countExpiry(database, ['source', 'stored'])
    for (let round = 0; round < 20; round++) {
      await appendCounts(database.db, countsOf(instance + round, instance + round + 30))
      await foldCounts(database)
      if (round % 5 === 4) await expire(START + (round + instance) * HOUR)
    }
  }))
  const { wrong, days } = await compare(first)
  t.same(wrong, [])
  t.ok(days > 0)
})
