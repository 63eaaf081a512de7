import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { migrate } from '../../../lib/database/migrate.js'
import { migrations } from '../../../lib/database/migrations/index.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

const NAME = '010-organisations'
const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < NAME))

async function migratesUsers (t: Test, database: Database): Promise<void> {
  const { db } = database
  await sql`insert into users (id, org_id, email, password_hash, role, disabled, epoch, created_at) values
    ('ann', 'org-a', 'ann@example.com', 'hash', 'owner', false, 3, '2026-01-01T00:00:00Z'),
    ('bob', 'org-b', 'bob@example.com', 'hash', 'viewer', true, 0, '2026-01-02T00:00:00Z')`.execute(db)
  await sql`insert into sessions (id, user_id, refresh_digest, created_at, last_used_at, ends_at, ip, user_agent)
    values ('session', 'ann', 'digest-1', now(), now(), now() + interval '1 day', '', '')`.execute(db)

  t.ok((await migrate(db)).includes(NAME))
  const { organisations, users, members, sessions } = sqlStore(database, {
    secretsKeys: ['a key that seals what this test file stores']
  })
  const ann = await users.findByEmail('ann@example.com')
  t.match(ann, { id: 'ann', orgId: 'org-a', role: 'owner', disabled: false, epoch: 3, passwordHash: 'hash' })
  t.match(await members.get('org-b', 'bob'), { role: 'viewer', disabled: true, createdAt: Date.UTC(2026, 0, 2) })
  t.match(await organisations.get('org-b'), { name: 'org-b', mfa: 'optional', maxUsers: null, maxSources: null })
  t.match(await sessions.access('session'), { userId: 'ann', orgId: 'org-a', role: 'owner', epoch: 3, mfaAt: null })
  t.match(await sessions.rotate({
    sessionId: 'session',
    presented: 'digest-1',
    next: 'digest-2',
    grace: 0,
    sealedSuccessor: null
  }), { outcome: 'rotated' }, 'a session of the previous version can be refreshed')
  await t.rejects(members.remove('org-a', 'ann'), { code: 'CONFLICT' })
}

t.test('users keep their role, organisation and sessions as members, on the embedded database', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await migratesUsers(t, database)
})

t.test('users keep their role, organisation and sessions as members, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await migratesUsers(t, database)
})
