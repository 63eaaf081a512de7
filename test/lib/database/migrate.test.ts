import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import type { Migration, PostgresPool } from 'kysely'

import { createPglitePool } from '../../../lib/database/pglite/pool.js'
import { migrate } from '../../../lib/database/migrate.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import { startPgliteThread } from '../../../lib/database/pglite/thread.js'
import type { PostgresPoolSlice } from '../../../lib/database/postgres/pool-slice.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { listed } from '../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { aSource } from '../../../conformance/token-store/fixtures.js'
import { newSchema, privatePostgres } from '../../helpers/postgres.js'

const first: Migration = {
  up: async (db) => {
    await sql`create table first (n int primary key); insert into first values (1)`.execute(db)
  }
}
const second: Migration = {
  up: async (db) => {
    await sql`create table second (n int)`.execute(db)
  }
}
const broken: Migration = {
  up: async (db) => {
    await sql`create table half_done (n int)`.execute(db)
    await sql`select 1 / 0`.execute(db)
  }
}

t.test('migrations run on the embedded database', async (t) => {
  const pool: PostgresPoolSlice = createPglitePool(await startPgliteThread())
  t.teardown(() => pool.end())
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: pool as PostgresPool }) })

  t.test('missing migrations run once, in the order of their names', async (t) => {
    t.strictSame(await migrate(db, { '001-first': first }), ['001-first'])
    t.strictSame(await migrate(db, { '002-second': second, '001-first': first }), ['002-second'])
    t.strictSame(await migrate(db, { '001-first': first, '002-second': second }), [])
  })

  t.test('without a missing migration the catalog of the database is not searched', async (t) => {
    const statements: string[] = []
    const watched = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: pool as PostgresPool }),
      log: ({ query }) => {
        statements.push(query.sql)
      }
    })
    t.strictSame(await migrate(watched, { '001-first': first, '002-second': second }), [])
    t.equal(statements.length, 2)
    t.notMatch(statements.join(), /pg_attribute/)
  })

  t.test('the error for a failed migration names it, and its changes are undone', async (t) => {
    await t.rejects(
      migrate(db, { '001-first': first, '002-second': second, '003-broken': broken }),
      /003-broken.*division by zero/
    )
    const { rows } = await sql<{ there: boolean }>`select to_regclass('half_done') is not null as there`.execute(db)
    t.strictSame(rows, [{ there: false }])
  })

  t.test('a database newer than the code is refused, and the error names the unknown migration', async (t) => {
    await t.rejects(migrate(db, { '001-first': first }), /migrated by a newer version of fastify-gatehouse.*002-second/)
  })
})

t.test('migrations run on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const { url } = server

  t.test('five instances that start at once create one schema, and all are ready', async (t) => {
    const slow: Migration = {
      up: async (db) => {
        await sql`select pg_sleep(0.3)`.execute(db).then(() => first.up(db))
      }
    }
    await Promise.all([1, 2, 3, 4, 5].map(async () => {
      const database = await openDatabase({
        url,
        maxConnections: 1,
        migrations: { '001-first': slow, '002-second': second }
      })
      await database.ready()
      const { rows } = await sql`select name, n from gatehouse_migration, first order by name`.execute(database.db)
      t.strictSame(rows, [{ name: '001-first', n: 1 }, { name: '002-second', n: 1 }])
      await database.close()
    }))
  })

  t.test('five instances that start at once on an empty database are ready and see the same data', async (t) => {
    const empty = await newSchema(url, t)
    const instances = await Promise.all([1, 2, 3, 4, 5].map(async () => {
      const database = await openDatabase({ url: empty })
      return {
        database,
        sink: await sqlSink(database),
        store: sqlStore(database, { secretsKeys: ['a key that seals what this test file stores'] })
      }
    }))
    t.teardown(() => Promise.all(instances.map(({ database }) => database.close())))
    await Promise.all(instances.map(async ({ database, sink, store }, at) => {
      await Promise.all([database.ready(), store.ready(), sink.write([anEvent({ receivedAt: Date.now() + at })])])
      await store.sources.create(aSource())
    }))
    for (const { sink, store } of instances) {
      t.equal((await listed(sink, 'org-a')).length, 5)
      t.equal((await store.sources.list('org-a', { limit: 10 })).data.length, 5)
    }
  })

  t.test('tables of another application or in another schema do not affect the migrations', async (t) => {
    const pool = new pg.Pool({ connectionString: url })
    t.teardown(() => pool.end())
    const elsewhere = `elsewhere_${process.pid}`
    await pool.query(`create table kysely_migration (name varchar primary key, timestamp varchar);
      insert into kysely_migration values ('theirs', '');
      create schema ${elsewhere};`)
    t.teardown(() => pool.query(`drop schema ${elsewhere} cascade`))
    const other = await openDatabase({ url: within(url, elsewhere), migrations: { '001-first': first } })
    const { rows } = await sql`select n from first`.execute(other.db)
    t.strictSame(rows, [{ n: 1 }], 'its own tables, although another schema has tables of these names')
    await other.close()
  })

  t.test('a search_path without a schema is an error that names search_path', async (t) => {
    await t.rejects(openDatabase({ url: within(url, 'nowhere'), migrations: {} }), /search_path/)
  })
})

function within (url: string, schema: string): string {
  const other = new URL(url)
  other.searchParams.set('options', `-c search_path=${schema}`)
  return other.href
}
