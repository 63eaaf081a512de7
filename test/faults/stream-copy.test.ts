import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { jetstreamManager } from '@nats-io/jetstream'
import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../lib/database/open-database.js'
import { copyStream, jetstreamSink } from '../../plugins/event-sink/jetstream/index.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { anEvent } from '../../conformance/event-sink/index.js'
import { connected, ownStream } from '../helpers/jetstream.js'
import { privateNats } from '../helpers/nats.js'
import { privatePostgres } from '../helpers/postgres.js'

/** Two copies are killed at a time. */
const KILLS = 2 * Number(process.env.ROUNDS ?? 1)
const EVENTS = 400

t.test(
  `PostgreSQL has each event once and unchanged after ${KILLS} kill -9 of a copy between write and acknowledgement`,
  { timeout: (KILLS * 20 + 60) * 1_000 },
  async (t) => {
    const [postgres, nats] = [await privatePostgres(t), await privateNats(t)]
    if (postgres === null || nats === null) return
    const database = await openDatabase({ url: postgres.url })
    t.teardown(() => database.close())
    const connection = await connected(t, { url: nats.url })
    const stream = ownStream(t, connection)
    const manager = await jetstreamManager(connection)
    const [single, packed] = [await jetstreamSink({ connection, stream }),
      await jetstreamSink({ connection, stream: { ...stream, duplicateWindow: 60_000 }, packing: 'flush' })]
    const events: AcceptedEvent[] = []

    async function publish (): Promise<void> {
      const now = Date.now()
      const next = Array.from({ length: EVENTS }, (_none, at) =>
        anEvent({ messageId: `\u0000\ud800${events.length + at}`, receivedAt: now + at }))
      events.push(...next)
      // Half of the events in single messages, half in large messages, and some in both, as clients repeat events
      // without a response.
      for (let at = 0; at < EVENTS; at += 40) { await (at % 80 === 0 ? single : packed).write(next.slice(at, at + 40)) }
      await packed.write(next.slice(0, 60))
    }

    async function copyUntilKilled (storedBefore: number): Promise<void> {
      const variables = {
        NATS_URL: nats?.url,
        STREAM: stream.name,
        DATABASE_URL: postgres?.url,
        DIE_AFTER: String(storedBefore)
      }
      const child = fork(new URL('./fixtures/copy-stream.ts', import.meta.url), {
        env: { ...process.env, ...variables }
      })
      t.teardown(() => child.kill('SIGKILL'))
      const [, signal] = await once(child, 'exit') as [number | null, string | null]
      t.equal(signal, 'SIGKILL')
    }

    for (let kills = 0; kills < KILLS; kills += 2) {
      await publish()
      await Promise.all([copyUntilKilled(100), copyUntilKilled(150)])
    }
    await publish()
    const info = () => manager.consumers.info(stream.name, 'gatehouse-sql')
    t.ok((await info()).num_ack_pending > 0, 'messages were stored and not acknowledged')
    const reader = await sqlSink(database)
    const other = await connected(t, { url: nats.url })
    const survivors = await Promise.all(
      [connection, other].map((connection) => copyStream({ connection, stream: stream.name, sink: reader, batch: 50 }))
    )
    for (let left = 1; left > 0; await sleep(50)) {
      const { num_pending: unread, num_ack_pending: unanswered } = await info()
      left = unread + unanswered
    }
    await Promise.all(survivors.map((copy) => copy.stop()))
    t.ok(
      (await info()).delivered.consumer_seq > (await manager.streams.info(stream.name)).state.messages,
      'messages were redelivered'
    )

    const { rows } = await sql<
      { stored: number, different: number }
    >`select count(*)::int as stored, count(distinct message_id)::int as different from events`.execute(database.db)
    t.same(rows, [{ stored: events.length, different: events.length }])
    const stored: AcceptedEvent[] = []
    for (let cursor: string | undefined; ;) {
      const page = await reader.list('org-a', {}, { limit: 100, cursor })
      stored.push(...page.data)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    t.strictSame(stored.sort((one, other) => order(one) - order(other)), events)
  }
)

function order ({ messageId }: AcceptedEvent): number {
  return Number(messageId.slice(2))
}
