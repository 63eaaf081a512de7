import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'

import { migrations } from '../../../lib/database/migrations/index.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import { copyFolder } from '../../helpers/database-folder.js'
import { privatePostgres } from '../../helpers/postgres.js'
import { temporaryFolder } from '../../helpers/server-process.js'
import { startChild } from './fixtures/child.js'
import type { Database } from '../../../lib/database/open-database.js'

// Creating a database takes seconds, so that it is created once here and copied for every test.
const made = join(await temporaryFolder(t), 'made')
const steps: string[] = []
const original = await openDatabase({
  dataDir: made,
  onProgress: (step) => {
    steps.push(step)
  }
})
await sql`create table kept (id int primary key, word text)`.execute(original.db)
await sql`insert into kept select n, repeat('x', 500) from generate_series(1, 500) n`.execute(original.db)
await original.close()

async function copyOf (folder: string): Promise<string> {
  copyFolder(made, folder)
  return folder
}

async function count ({ db }: Database): Promise<unknown> {
  return (await sql<{ n: number }>`select count(*)::int as n from kept`.execute(db)).rows[0]?.n
}

t.test('a new folder gets a database, with progress, and the database survives closing', async (t) => {
  t.strictSame(steps, ['creating', 'opening', 'migrating'])
  t.strictSame(await readdir(made), ['pgdata'], 'no lock and no unfinished folder is left')
  const database = await openDatabase({ dataDir: await copyOf(await temporaryFolder(t)) })
  t.equal(await count(database), 500)
  t.match(database, { kind: 'pglite', durability: 'process' })
  await database.ready()
  await Promise.all([database.close(), database.close()])
  await t.rejects(database.ready(), /closed|stopped/)
})

t.test('a folder that another process has open is refused', async (t) => {
  const dataDir = await copyOf(await temporaryFolder(t))
  const writer = startChild(t, 'write-rows.ts', [dataDir])
  await writer.firstLine
  await t.rejects(openDatabase({ dataDir }), { code: 'FOLDER_LOCKED', message: dataDir })
})

t.test('a migration that fails leaves the folder unlocked', async (t) => {
  const dataDir = await copyOf(await temporaryFolder(t))
  const broken = {
    up: async () => {
      throw new Error('cannot')
    }
  }
  await t.rejects(openDatabase({ dataDir, migrations: { ...migrations, '999-broken': broken } }), /999-broken.*cannot/)
  await (await openDatabase({ dataDir })).close()
})

t.test('a folder that cannot be created is an error', async (t) => {
  const parent = t.testdir({ file: 'no folder' })
  await t.rejects(openDatabase({ dataDir: join(parent, 'file', 'data') }), { code: 'ENOTDIR' })
})

t.test('a database in memory has the durability none', async (t) => {
  const database = await openDatabase({ memory: true })
  t.match(database, { kind: 'pglite', durability: 'none' })
  await database.close()
})

t.test('openDatabase works with PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return

  t.test('closing the database leaves a given pool open', async (t) => {
    const pool = new pg.Pool({ connectionString: server.url })
    t.teardown(() => pool.end())
    const database = await openDatabase({ pool })
    t.match(database, { kind: 'postgres', durability: 'disk' })
    await database.ready()
    await database.close()
    t.strictSame((await pool.query('select 1 as n')).rows, [{ n: 1 }])
  })

  t.test('a server with synchronous_commit=off has a lower durability', async (t) => {
    const url = new URL(server.url)
    url.searchParams.set('options', `${url.searchParams.get('options') ?? ''} -c synchronous_commit=off`)
    const database = await openDatabase({ url: url.href })
    t.equal(database.durability, 'process')
    await database.close()
  })

  t.test(
    'ready() rejects while the server is down, and resolves when it is back',
    { skip: !server.ownServer },
    async (t) => {
      let lost = 0
      const database = await openDatabase({
        url: server.url,
        onIdleError: () => {
          lost++
        }
      })
      await server.kill()
      await t.rejects(database.ready())
      t.ok(lost > 0)
      await server.start()
      await database.ready()
      await database.close()
    }
  )

  t.test('a connection that breaks during a transaction does not end the process', async (t) => {
    const database = await openDatabase({ url: server.url })
    await t.rejects(
      database.db.transaction().execute(async (transaction) => {
        const { rows: [{ pid } = { pid: 0 }] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
          transaction
        )
        await sql`select pg_terminate_backend(${pid}, 5000)`.execute(database.db)
        // After this query the other connection has received its end.
        await database.ready()
        await sql`select 1`.execute(transaction)
      })
    )
    await database.ready()
    await database.close()
  })

  t.test('connections to a new standby are replaced, so that ready() and writes work again after ' +
    'a failover', async (t) => {
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    t.teardown(() => admin.end())
    const database = await openDatabase({ url: server.url, maxConnections: 1 })
    const write = () => sql`create table if not exists after_failover (n int)`.execute(database.db)
    await admin.query('alter role postgres set default_transaction_read_only = on')
    await admin.query(
      'select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid <> pg_backend_pid() and ' +
        'backend_type = $1',
      ['client backend']
    )
    await database.ready().catch(() => {})
    await t.rejects(database.ready(), /read-only/)
    await t.rejects(write(), { code: '25006' })
    await admin.query('set transaction read write; alter role postgres reset default_transaction_read_only')
    await write()
    await database.ready()
    await database.close()
  })

  t.test('ready() rejects after 2 s without a response', async (t) => {
    const database = await openDatabase({ url: server.url, maxConnections: 1 })
    await database.db.connection().execute(async (only) => {
      const busy = sql`select pg_sleep(2.5)`.execute(only)
      await t.rejects(database.ready(), /within 2000 ms/)
      await busy
    })
    await database.ready()
    await database.close()
  })
})
