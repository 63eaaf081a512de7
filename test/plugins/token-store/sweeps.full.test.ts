import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { aSource } from '../../../conformance/token-store/fixtures.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { privatePostgres } from '../../helpers/postgres.js'

const secretsKeys = ['a key that seals what this test file stores']
const DAY = 86_400_000
/** More rows than one statement of a sweep deletes. */
const MANY = 4_500
const numbers = sql`generate_series(1, ${sql.lit(MANY)}) n`
const old = sql`now() - interval '100 days'`
const soon = sql`now() + interval '1 day'`

async function countOf (database: Database, table: string): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) from ${sql.table(table)}`.execute(database.db)
  return Number(rows[0]?.count)
}

async function sweepAfter (database: Database, ...statements: Array<ReturnType<typeof sql>>): Promise<void> {
  for (const statement of statements) await statement.execute(database.db)
  await sqlStore(database, { secretsKeys }).sweep({ auditRetention: 90 * DAY })
}

async function sweepTests (t: Test, database: Database): Promise<void> {
  await t.test('a sweep deletes all expired claims, tokens and sessions, and keeps the valid ones', async (t) => {
    await sweepAfter(
      database,
      sql`insert into claims (digest, expires_at) select 'old' || n, ${old} from ${numbers}`,
      sql`insert into claims (digest, expires_at) values ('valid', ${soon})`,
      sql`insert into guest_tokens (key, client_id, sealed, minted_at, expires_at)
        select 'old' || n, 'client', '', ${old}, ${old} from ${numbers}`,
      sql`insert into guest_tokens (key, client_id, sealed, minted_at, expires_at)
        values ('valid', 'client', '', now(), ${soon})`,
      sql`insert into organisations (id, name, created_at) values ('org', 'Org', now())`,
      sql`insert into users (id, email, password_hash, created_at) values ('user', 'user@example.com', '', now())`,
      sql`insert into memberships (org_id, user_id, role, created_at) values ('org', 'user', 'viewer', now())`,
      sql`insert into sessions (id, user_id, org_id, refresh_digest, created_at, last_used_at, ends_at, ip, user_agent)
        select 'session' || n, 'user', 'org', '', ${old}, ${old}, case n when 7 then ${soon} else ${old} end, '', ''
        from ${numbers}`
    )
    t.equal(await countOf(database, 'claims'), 1)
    t.equal(await countOf(database, 'guest_tokens'), 1)
    t.equal(await countOf(database, 'sessions'), 1)
  })

  await t.test('a sweep keeps an old failed login while its account is locked', async (t) => {
    await sweepAfter(
      database,
      sql`insert into login_failures (subject, count, last_at) select 'old' || n, 1, ${old} from ${numbers}`,
      sql`insert into login_failures (subject, count, last_at, locked_until) values ('locked', 5, ${old}, ${soon})`
    )
    t.equal(await countOf(database, 'login_failures'), 1)
  })

  await t.test('a sweep deletes the old audit entries of every organisation', async (t) => {
    const entry = (org: ReturnType<typeof sql>, time: ReturnType<typeof sql>) =>
      sql`insert into audit_log (id, org_id, action, timestamp)
        select md5(${org} || n || ${time}), ${org}, 'auth.login', ${time} from ${numbers}`
    await sweepAfter(
      database,
      entry(sql`'a'`, old),
      entry(sql`'b'`, sql`now()`),
      entry(sql`'c' || n % 300`, old),
      entry(sql`'C' || n % 300`, old),
      entry(sql`'c7'`, sql`now()`)
    )
    const { rows } = await sql`select org_id as org, count(*)::int as entries from audit_log group by 1 order by 1`
      .execute(database.db)
    t.same(rows, [{ org: 'b', entries: MANY }, { org: 'c7', entries: MANY }])
  })

  await t.test('the list of origins is read again only after a source or key has changed', async (t) => {
    const [store, other] = [sqlStore(database, { secretsKeys, cacheTtl: 0 }), sqlStore(database, { secretsKeys })]
    const source = await store.sources.create(aSource({ domains: ['shop.example.com'] }))
    const list = await store.sources.origins()
    t.equal(await store.sources.origins(), list, 'nothing has changed')
    await other.sources.update(source.orgId, source.id, { domains: ['news.example.com'] })
    const changed = await store.sources.origins()
    t.same(changed.map(({ domains }) => domains), [['news.example.com']])
    t.equal(await store.sources.origins(), changed)
    await other.sources.delete(source.orgId, source.id)
    t.same(await store.sources.origins(), [])
  })
}

t.test('on PGlite', async (t) => {
  await sweepTests(t, await emptyDatabase())
})

t.test('on PostgreSQL', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url })
  t.teardown(() => database.close())
  await sweepTests(t, database)
})
