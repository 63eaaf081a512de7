import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { initial } from '../../../lib/database/migrations/001-initial.js'
import { migrate } from '../../../lib/database/migrate.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import { listed } from '../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

const before = { '001-initial': initial }

async function knowsThem (t: Test, database: Database): Promise<void> {
  const known = ['plain', "ü🙂 \\ '", 'nul \0 and half \ud800'].map((messageId) => anEvent({ messageId }))
  for (const { orgId, sourceId, authMethod, messageId } of known) {
    await sql`insert into event_ids values (${sourceId}, ${authMethod}, ${toColumnText(messageId)}, ${new Date(
      known[0]?.receivedAt ?? 0
    )})`.execute(database.db)
    await sql`insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload, additions)
      values (${orgId}, ${sourceId}, ${
      toColumnText(messageId)
    }, 'track', ${authMethod}, now(), now(), '::1', '{}', '{}')`.execute(database.db)
  }
  t.ok((await migrate(database.db)).includes('004-lean-events'))
  const sink = await sqlSink(database)
  const fresh = anEvent({ receivedAt: Date.now() })
  await sink.write([...known, fresh])
  const stored = (await listed(sink, 'org-a')).map(({ messageId }) => messageId)
  t.strictSame(stored, [fresh, ...known.reverse()].map(({ messageId }) => messageId))
}

t.test('events known before the migration are still known, on the embedded database', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await knowsThem(t, database)
})

t.test('events known before the migration are still known, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await knowsThem(t, database)
})
