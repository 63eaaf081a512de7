import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { initial } from '../../../lib/database/migrations/001-initial.js'
import { migrate } from '../../../lib/database/migrate.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

const before = { '001-initial': initial }
const KEY = 'dk_live_0123456789abcdefghijABCDEFGHIJ01'

async function insertSource ({ db }: Database, id: string, key: string): Promise<void> {
  await sql`insert into sources (id, org_id, name, environment, server_secret_prefix, domains, allow_any_origin, require_signature, require_timestamp,
      enabled, rate_limit, pixel_types, created_at, updated_at)
    values (${id}, 'org-a', 'Shop', 'live', 'abc', '["https://shop.example.com"]', false, 'never', false, true, 25, '["track"]', now(), now())`
    .execute(db)
  await sql`insert into pipeline_keys (key, org_id, source_id) values (${key}, 'org-a', ${id})`.execute(db)
}

async function migratesWithRows (t: Test, database: Database): Promise<void> {
  await insertSource(database, 'old', KEY)
  t.ok((await migrate(database.db)).includes('002-source-bots'))
  t.strictSame(await migrate(database.db), [])

  const { sources } = sqlStore(database, { secretsKeys: ['a key that seals what this test file stores'] })
  t.match(await sources.get('org-a', 'old'), {
    name: 'Shop',
    rateLimit: 25,
    pixelTypes: ['track'],
    pipelineKey: KEY,
    bots: 'tag',
    signedRepeats: 'keep',
    keepRefused: false,
    dailyQuota: null,
    monthlyQuota: null,
    allowNullOrigin: false
  })
  t.equal((await sources.resolve(KEY))?.source.bots, 'tag')
  t.equal((await sources.update('org-a', 'old', { bots: 'drop' }))?.bots, 'drop')

  // An instance of the previous version inserts a source without these columns.
  await insertSource(database, 'meanwhile', KEY.replace('live', 'test'))
  t.match(await sources.get('org-a', 'meanwhile'), { bots: 'tag', signedRepeats: 'keep', allowNullOrigin: false })
}

t.test('sources keep their settings and get defaults for new columns, on the embedded database', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await migratesWithRows(t, database)
})

t.test('sources keep their settings and get defaults for new columns, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await migratesWithRows(t, database)
})
