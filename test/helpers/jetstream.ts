import { randomBytes } from 'node:crypto'

import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type t from 'tap'

import { connectNats, decodeMessage } from '../../plugins/event-sink/jetstream.js'
import type { NatsOptions, StreamOptions } from '../../plugins/event-sink/jetstream.js'
import { memorySink } from '../../plugins/event-sink/index.js'
import type { AcceptedEvent, EventSink, ReadableEventSink } from '../../plugins/event-sink/index.js'

type Test = Pick<typeof t, 'teardown'>

/** A connection that is closed after the test. */
export async function connected (test: Test, options: NatsOptions): Promise<NatsConnection> {
  const connection = await connectNats(options)
  test.teardown(() => connection.close())
  return connection
}

/** A stream of its own on a broker that others may use; deleted after the test. */
export function ownStream (test: Test, connection: NatsConnection): StreamOptions & { name: string } {
  const name = `test_${randomBytes(6).toString('hex')}`
  test.teardown(async () => {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 1_000 })
    await manager.streams.delete(name).catch(() => {})
  })
  return { name, subjectPrefix: name }
}

export interface StoredMessage {
  subject: string
  id: string
  events: AcceptedEvent[]
}

/** All that a stream holds, oldest first. */
export async function messagesIn (connection: NatsConnection, name: string): Promise<StoredMessage[]> {
  const { state } = await (await jetstreamManager(connection)).streams.info(name)
  if (state.messages === 0) return []
  const consumer = await jetstream(connection).consumers.get(name)
  const messages: StoredMessage[] = []
  for (let left = state.messages; left > 0; left = state.messages - messages.length) {
    const before = messages.length
    for await (const { subject, data, headers } of await consumer.fetch({ max_messages: Math.min(left, 10_000), expires: 10_000 })) {
      messages.push({ subject, id: headers?.get('Nats-Msg-Id') ?? '', events: decodeMessage(data).events })
    }
    if (messages.length === before) throw new Error(`${before} of ${state.messages} messages of the stream could be read`)
  }
  return messages
}

export async function eventsIn (connection: NatsConnection, name: string): Promise<AcceptedEvent[]> {
  return (await messagesIn(connection, name)).flatMap(({ events }) => events)
}

/** The sink with what its stream holds to be read, as a reader of the stream has it: without the repeats. */
export function readable (sink: EventSink, connection: NatsConnection, name: string): ReadableEventSink {
  return {
    ...sink,
    async list (...query) {
      const reader = memorySink()
      await reader.write(await eventsIn(connection, name))
      return await reader.list(...query)
    }
  }
}
