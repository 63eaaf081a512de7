import { randomUUID } from 'node:crypto'

import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { migrations } from '../../../lib/database/migrations/index.js'
import { migrate } from '../../../lib/database/migrate.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { countSessions, foldSessionCounts } from '../../../plugins/token-store/sql/session-counts.js'
import { privatePostgres } from '../../helpers/postgres.js'

const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '024'))
const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 14, 9, 20)
const ORGS = ['org-a', 'org-b']

async function addMembers ({ patient: db }: Database): Promise<void> {
  for (const org of ORGS) {
    await sql`insert into organisations (id, name, created_at) values (${org}, ${org}, now())`.execute(db)
    await sql`insert into users (id, email, password_hash, epoch, created_at)
      select ${org} || n, ${org} || n || '@example.com', '', 0, now() from generate_series(0, 9) n`.execute(db)
    await sql`insert into memberships (org_id, user_id, role, created_at)
      select ${org}, ${org} || n, 'viewer', now() from generate_series(0, 9) n`.execute(db)
  }
}

/** Stores sessions of each member that end in the next five hours, also exactly at the start of an hour. */
async function addSessions ({ db }: Database): Promise<void> {
  for (const org of ORGS) {
    await sql`insert into sessions
        (id, user_id, org_id, refresh_digest, created_at, last_used_at, ends_at, ip, user_agent)
      select ${randomUUID()} || user_id || n, user_id, org_id, '', now(), now(),
        ${new Date(START)}::timestamptz + n * interval '20 minutes', '', ''
      from memberships, generate_series(1, 15) n where org_id = ${org}`.execute(db)
  }
}

async function differences ({ db }: Database): Promise<unknown[]> {
  const found: unknown[] = []
  for (const org of ORGS) {
    for (let at = START; at < START + 7 * HOUR; at += HOUR / 6) {
      const { rows: [row] } = await sql<{ count: number }>`select count(*)::int as count from sessions
        where org_id = ${org} and ends_at > ${new Date(at)}`.execute(db)
      const counted = await countSessions(db, org, at)
      if (counted !== row?.count) found.push({ org, at: new Date(at), counted, ...row })
    }
  }
  return found
}

async function rowsOf ({ db }: Database): Promise<number> {
  const { rows: [row] } = await sql<{ rows: number }>`select count(*)::int as rows from session_counts`.execute(db)
  return row?.rows ?? NaN
}

async function staysEqual (t: Test, database: Database): Promise<void> {
  const { db } = database
  await addMembers(database)
  await addSessions(database)
  await migrate(database.patient)
  t.same(await differences(database), [], 'after the migration')
  await addSessions(database)
  await addSessions(database)
  t.same(await differences(database), [], 'after sessions have started')
  await sql`delete from sessions where user_id like '%3'`.execute(db)
  await sql`delete from users where id like '%4'`.execute(db)
  t.same(await differences(database), [], 'after sessions and users have been deleted')
  await foldSessionCounts(db, START)
  t.same(await differences(database), [], 'after the counts have been folded')
  t.equal(await rowsOf(database), 12, 'there is one row for each organisation and hour')
  await sql`delete from sessions`.execute(db)
  await foldSessionCounts(db, START)
  t.equal(await rowsOf(database), 0, 'counts without a session are deleted')
  await addSessions(database)
  await foldSessionCounts(db, START + 10 * HOUR)
  t.equal(await rowsOf(database), 0, 'counts of hours that have passed are deleted')
}

t.test('counts of the embedded database equal the sessions from before and after the migration', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await staysEqual(t, database)
})

t.test('counts of PostgreSQL equal the sessions from before and after the migration', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url, migrations: before })
  t.teardown(() => database.close())
  await staysEqual(t, database)
})

t.test('counts equal the sessions that several instances start, delete and fold at the same time', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const databases = await Promise.all([1, 2, 3].map(() => openDatabase({ url: postgres.url })))
  t.teardown(() => Promise.all(databases.map((database) => database.close())))
  const [first] = databases
  if (first === undefined) return
  await addMembers(first)
  await Promise.all(databases.map(async (database, instance) => {
    for (let round = 0; round < 20; round++) {
      await addSessions(database)
      await sql`delete from sessions where user_id = ${`org-a${(round + 3 * instance) % 10}`}`.execute(database.db)
      await foldSessionCounts(database.db, START)
    }
  }))
  await foldSessionCounts(first.db, START)
  t.same(await differences(first), [])
  t.equal(await rowsOf(first), 12)
})
