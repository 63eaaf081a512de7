// How long events wait for their confirmation while expired rows are deleted.
import { setTimeout as sleep } from 'node:timers/promises'

import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'

import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { openDatabase } from '../../lib/database/open-database.js'
import type { Database } from '../../lib/database/open-database.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import { messageIdOf } from './events.js'
import { DAY, DAYS, idOf, ORG } from './sizes.js'
import type { Sizes } from './sizes.js'

const EVENTS = 20
const TURN_SECONDS = 5

/** Expired rows: a tenth of each table. */
function expired (sizes: Sizes): Array<RawBuilder<unknown>> {
  const numbers = (count: number) => sql`generate_series(1, ${sql.lit(Math.ceil(count / 10))}) n`
  const old = sql`now() - interval '100 days' - n * interval '1 millisecond'`
  const id = (kind: string) => sql`md5(${sql.lit(`expired ${kind}`)} || n)::uuid::text`
  return [
    sql`insert into audit_log (id, org_id, action, user_id, resource_type, resource_id, timestamp)
      select ${id('audit')}, ${sql.lit(ORG)}, 'auth.login', 'viewer-' || n, 'user', 'dash-' || n % 500, ${old}
      from ${numbers(sizes.audit)}`,
    sql`insert into sessions (id, user_id, org_id, refresh_digest, created_at, last_used_at, ends_at, ip, user_agent)
      select ${id('session')}, user_id, org_id, '', ${old}, ${old}, ${old}, '', ''
      from ${numbers(sizes.sessions)}
        join memberships on user_id = md5('user' || 1 + n % ${sql.lit(sizes.users)})::uuid::text`,
    sql`insert into claims (digest, expires_at) select md5('claim' || n), ${old} from ${numbers(sizes.sessions)}`,
    sql`insert into guest_tokens (key, client_id, sealed, minted_at, expires_at)
      select md5('guest' || n), 'client-' || n, repeat('x', 200), ${old}, ${old} from ${numbers(sizes.sessions)}`,
    sql`insert into event_ids (id, seen_at) select md5('expired id' || n)::uuid, ${old} from ${numbers(sizes.ids)}`,
    sql`insert into login_failures (subject, count, last_at)
      select 'ip:' || n, 1, ${old} from ${numbers(sizes.sessions)}`,
    sql`update sessions set repeat_until = now(), sealed_successor = 'sealed'
      where id in (select md5('session' || n)::uuid::text from ${numbers(sizes.sessions)})`,
    sql`insert into counts (org_id, subject, outcome, hour, events, bytes, last_at)
      select ${sql.lit(ORG)}, 'embed:' || n, 'granted', date_trunc('hour', now()) - interval '500 days', 1, 1, now()
      from ${numbers(sizes.ids)}`
  ]
}

function batch (number: number): AcceptedEvent[] {
  const receivedAt = Date.now()
  return Array.from({ length: EVENTS }, (_, at) => ({
    orgId: ORG,
    sourceId: idOf('source', 1 + number % 1_000),
    messageId: messageIdOf(2 ** 40 + receivedAt % 1_000_000 * 1_000 + at),
    type: 'track',
    authMethod: 'key',
    receivedAt,
    timestamp: receivedAt,
    ip: '203.0.113.9',
    userAgent: null,
    payload: '{"type":"track","event":"Order Completed","userId":"user_1","properties":{"total":149.97}}',
    additions: '{}'
  }))
}

interface Flushes {
  /** Duration of each write, milliseconds, in ascending order. */
  times: number[]
  /** Duration of the work, milliseconds. */
  took: number
}

/** Two writers, until `work` is done and at least for some seconds. */
async function flushesDuring (database: Database, work: () => Promise<void>): Promise<Flushes> {
  const sink = await sqlSink(database)
  const times: number[] = []
  const done = new AbortController()
  const began = performance.now()

  async function write (): Promise<void> {
    while (!done.signal.aborted || performance.now() - began < TURN_SECONDS * 1_000) {
      const start = performance.now()
      await sink.write(batch(times.length))
      times.push(performance.now() - start)
      await sleep(2)
    }
  }

  const writing = Promise.all([write(), write()])
  await work().finally(() => done.abort())
  const took = performance.now() - began
  await writing
  await sink.close()
  return { times: times.sort((a, b) => a - b), took }
}

export async function * sweepTable (url: string, sizes: Sizes, secretsKey: string): AsyncGenerator<string> {
  const database = await openDatabase({ url })
  yield '| during | it took s | writes | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: | ---: | ---: |'
  try {
    for (const statement of expired(sizes)) await statement.execute(database.patient)
    const store = sqlStore(database, { secretsKeys: [secretsKey] })
    const sink = await sqlSink(database)
    const now = Date.now()
    const retention = (days: number) => sink.expire?.(now - now % DAY - days * DAY) ?? Promise.resolve()
    const works: Array<[string, () => Promise<void>]> = [
      ['nothing', async () => {}],
      ['first sweep of the token store', () => store.sweep({ auditRetention: 90 * DAY })],
      ['sweep of the token store', () => store.sweep({ auditRetention: 90 * DAY })],
      ['sweep of message ids and counts', () => sink.sweep?.() ?? Promise.resolve()],
      ['retention, whole days', () => retention(DAYS - 1)],
      ['retention, part of a day', () => sink.expire?.(now - (DAYS - 1.5) * DAY) ?? Promise.resolve()],
      ['nothing, again', async () => {}]
    ]
    for (const [name, work] of works) {
      const { times, took } = await flushesDuring(database, work)
      const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? NaN).toFixed(1)
      yield `| ${[name, (took / 1_000).toFixed(1), times.length, at(0.5), at(0.99), at(1)].join(' | ')} |`
    }
    await sink.close()
    await store.close()
  } finally {
    await database.close()
  }
}
