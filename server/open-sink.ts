import { waitAtMost } from '../lib/deadline.js'
import type { Database, Durability } from '../lib/database/open-database.js'
import { sqlSink } from '../plugins/event-sink/sql/index.js'
import type { EventSink } from '../contracts/event-sink.js'
import type { Config } from './config/index.js'
import type { PartsLog } from './late-log.js'

/** The durability of an acknowledged event; `brokers`: it survives the loss of less than half of the brokers. */
export type EventDurability = Durability | 'brokers'

export interface OpenedSink {
  sink: EventSink
  durability: EventDurability
  /** Closes the remaining resources after the app has closed the sink. */
  close(): Promise<void>
}

const MINUTE = 60_000
const COPY_LIMIT = 2_000
const DAY = 86_400_000

/** Opens the event sink: the database, or a broker's stream that each instance helps to copy into the database. */
export async function openSink (
  { nats, limits }: Pick<Config, 'nats' | 'limits'>,
  database: Database,
  log: PartsLog
): Promise<OpenedSink> {
  const options = { maxPending: limits.MAX_PENDING_EVENTS, ackTimeout: limits.ACK_TIMEOUT_MS }
  if (nats === null) {
    return { sink: await sqlSink(database, options), durability: database.durability, close: async () => {} }
  }

  const { connectNats, copyStream, jetstreamSink } = await import('../plugins/event-sink/jetstream/index.js')
  // Without `maxPending`, because the copy writes large batches whatever the limit for the broker is.
  const sql = await sqlSink(database)
  const connection = await connectNats({ url: nats.url })
  try {
    const stream = {
      name: nats.stream,
      replicas: nats.replicas,
      ...(nats.maxAgeDays === 0 ? {} : { maxAge: nats.maxAgeDays * DAY }),
      ...(nats.packing === 'flush' ? {} : { duplicateWindow: nats.duplicateMinutes * MINUTE })
    }
    const published = await jetstreamSink({ ...options, connection, stream, packing: nats.packing })
    const copy = nats.copy ? await copyStream({ connection, stream: nats.stream, sink: sql, log }) : null
    const stopCopying = async () => {
      await copy?.stop()
      await sql.close()
    }
    return {
      // Reads go to the database, where the events are copied to.
      sink: {
        ...sql,
        write: published.write,
        ready: published.ready,
        close: published.close,
        ...published.load === undefined ? {} : { load: published.load }
      },
      // A broker acknowledges before it flushes to disk.
      durability: nats.replicas === 1 ? 'process' : 'brokers',
      async close () {
        // The broker delivers an interrupted copy again.
        await waitAtMost(stopCopying(), COPY_LIMIT)
        await connection.close()
      }
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}
