import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { migrate } from '../../../lib/database/migrate.js'
import { migrations } from '../../../lib/database/migrations/index.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

const NAME = '005-events-by-day'
const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < NAME))
const DAY = 24 * 60 * 60 * 1000

async function keepsThem (t: Test, database: Database): Promise<void> {
  const today = Math.floor(Date.now() / DAY) * DAY
  // The last event has the time of a clock that was a week ahead.
  const old = [today - 400 * DAY, today - 1, today, today + DAY - 1, today + 7 * DAY].map((receivedAt) =>
    anEvent({ receivedAt })
  )
  for (
    const { orgId, sourceId, messageId, type, authMethod, receivedAt, timestamp, ip, userAgent, payload, additions }
    of old
  ) {
    await sql`insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, user_agent, payload, additions)
      values (${orgId}, ${sourceId}, ${messageId}, ${type}, ${authMethod}, ${new Date(receivedAt)}, ${new Date(
      timestamp
    )}, ${ip}, ${userAgent}, ${payload}, ${additions})`
      .execute(database.db)
  }
  const { rows: numbers } = await sql`select seq, message_id from events order by seq`.execute(database.db)

  t.ok((await migrate(database.db)).includes(NAME))
  t.same(
    (await sql`select seq, message_id from events order by seq`.execute(database.db)).rows,
    numbers,
    'the events keep their sequence numbers'
  )
  const sink = await sqlSink(database)
  t.same(await listed(sink, 'org-a'), [...old].reverse())

  const fresh = [anEvent({ receivedAt: Date.now() }), anEvent({ receivedAt: today + 2 * DAY }),
    anEvent({ receivedAt: today - 30 * DAY })]
  await sink.write(fresh)
  const expected = [...old, ...fresh].sort((one, other) => (other?.receivedAt ?? 0) - (one?.receivedAt ?? 0))
  t.same(await listed(sink, 'org-a', {}, 4), expected, 'the newest events first, then the older ones')

  await sink.expire?.(today)
  t.same(
    (await listed(sink, 'org-a')).map(({ receivedAt }) => receivedAt - today >= 0),
    Array(5).fill(true),
    'events from today on are left'
  )
  t.strictSame(await migrate(database.db), [])
}

t.test('events from before the migration are listed unchanged, on the embedded database', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await keepsThem(t, database)
})

t.test('events from before the migration are listed unchanged, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await keepsThem(t, database)
})
