import { randomBytes } from 'node:crypto'

import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type t from 'tap'

import { connectNats, decodeMessage } from '../../plugins/event-sink/jetstream/index.js'
import type { NatsOptions, StreamOptions } from '../../plugins/event-sink/jetstream/index.js'
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

const AT_A_TIME = 250

/** All that a stream holds, oldest first; each asked for by its number, so that none is left out unnoticed. */
export async function messagesIn (connection: NatsConnection, name: string): Promise<StoredMessage[]> {
  const { streams } = await jetstreamManager(connection, { timeout: 20_000 })
  const { state } = await streams.info(name)
  const numbers = Array.from({ length: state.messages }, (_none, at) => state.first_seq + at)
  const messages: StoredMessage[] = []
  while (numbers.length > 0) {
    const asked = numbers.splice(0, AT_A_TIME).map(async (seq) => {
      const message = await streams.getMessage(name, { seq })
      if (message === null) throw new Error(`The stream has no message ${seq}`)
      return {
        subject: message.subject,
        id: message.header.get('Nats-Msg-Id'),
        events: decodeMessage(message.data).events
      }
    })
    messages.push(...await Promise.all(asked))
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
