import { setTimeout as sleep } from 'node:timers/promises'

import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { EventFilter } from '../../../../contracts/event-sink.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const NOW = Date.UTC(2040, 5, 1, 12)
const DAY = 86_400_000
const COUNT = 300_000

t.test('a search reads the many events of a day in few pages, by their keys in the index', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  const sink = await sqlSink(database, { now: () => NOW })
  await sql`
    insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload,
      additions, message_key, event_key, user_key, anonymous_key)
    select 'org-a', 's', 'm' || n, 'track', 'key', at, at, '', '{}', '{}', n % 65536 - 32768, 1, n % 65536 - 32768, 3
    from generate_series(1, ${sql.lit(COUNT)}) n,
      lateral (select ${new Date(NOW)}::timestamptz - n * interval '140 milliseconds' as at) t`.execute(database.patient)
  const needle = anEvent({ receivedAt: NOW - COUNT * 139, timestamp: NOW, payload: '{"userId":"needle"}' })
  await sink.write([needle])

  const searches: Array<[EventFilter, found: string[]]> = [
    [{ userId: 'needle' }, [needle.messageId]],
    [{ messageId: needle.messageId }, [needle.messageId]],
    [{ userId: 'needle', sourceId: needle.sourceId, type: 'track' }, [needle.messageId]],
    [{ userId: 'needle', sourceId: 's' }, []],
    [{ userId: 'nobody' }, []],
    [{ timestampTo: NOW - 365 * 86_400_000 }, []]
  ]
  for (const [filter, expected] of searches) {
    const found: string[] = []
    let pages = 0
    let cursor: string | undefined
    do {
      const { data, nextCursor } = await sink.list('org-a', filter, { limit: 100, cursor })
      found.push(...data.map(({ messageId }) => messageId))
      cursor = nextCursor ?? undefined
      pages++
    } while (cursor !== undefined)
    t.same(found, expected, JSON.stringify(filter))
    // One page reads 100 000 events with one statement, and 100 ms are enough for several on an idle machine.
    t.ok(pages <= 8, `${pages} pages for ${COUNT} events`)
  }
  // The server publishes its statistics some seconds later.
  let scanned: string[] = []
  for (const end = Date.now() + 15_000; scanned.length === 0 && Date.now() < end; await sleep(200)) {
    const { rows } = await sql<{ name: string }>`
      select indexrelname as name from pg_stat_user_indexes where relname = 'events_20400601' and idx_scan > 0`
      .execute(database.db)
    scanned = rows.map(({ name }) => name)
  }
  t.same(scanned, ['events_20400601_find'])
})

t.test('a search by time looks up the events of a day that has ended, unless they are many', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  await sqlSink(database, { now: () => NOW - DAY })
  await sql`
    insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload,
      additions, message_key, event_key, user_key, anonymous_key)
    select 'org-a', 's', 'm' || n, 'track', 'key', at,
      case when n % 40 = 0 then ${new Date(NOW - 90 * DAY)} else at end, '', '{}', '{}', 0, 1, 2, 3
    from generate_series(1, ${sql.lit(COUNT)}) n,
      lateral (select ${new Date(NOW - DAY / 2 - 1)}::timestamptz - n * interval '280 milliseconds' as at) t`
    .execute(database.patient)
  await (await sqlSink(database, { now: () => NOW })).sweep?.()
  const late = anEvent({ receivedAt: NOW - DAY, timestamp: NOW - 30 * DAY })
  const sink = await sqlSink(database, { now: () => NOW })
  await sink.write([late])

  // Without the time limit of a page.
  t.intercept(performance, 'now', { value: () => 0 })
  const one = await sink.list('org-a', { timestampTo: NOW - 20 * DAY, timestampFrom: NOW - 40 * DAY }, { limit: 100 })
  t.same(one.data.map(({ messageId }) => messageId), [late.messageId])
  t.equal(one.nextCursor, null, 'one page reads the whole day')
  const { data } = await sink.list('org-a', { timestampTo: NOW - 80 * DAY }, { limit: 100 })
  t.same(data.map(({ messageId }) => messageId), Array.from({ length: 100 }, (_, at) => `m${40 * (at + 1)}`))
})
