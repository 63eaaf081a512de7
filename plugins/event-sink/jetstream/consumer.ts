import { setTimeout as sleep } from 'node:timers/promises'

import type { ConsumerConfig, JetStreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { waitAtMost } from '../../../lib/deadline.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { NatsLink } from '../../../lib/nats/link.js'
import { importOptional } from '../../../lib/optional-package.js'
import { decodeMessage } from './message.js'
import { Puller } from './pull.js'
import type { AcceptedEvent, EventSink } from '../../../contracts/event-sink.js'

export interface CopyStreamOptions {
  /** Of `connectNats()`, or the application's own; it stays open. */
  connection: NatsConnection
  /** Where the events go: a sink that drops repeats, such as `sqlSink()`, has each once. It stays open. */
  sink: Pick<EventSink, 'write'>
  /** The stream's name. Default: `events`. */
  stream?: string
  /** The consumer's name; instances with the same share the work. Made if there is none. Default: `gatehouse-sql`. */
  durable?: string
  /** Messages that are fetched at a time. Default: 500. */
  batch?: number
  /** Milliseconds after which the broker gives a message that was not acknowledged to whoever asks; for a consumer that is made. Default: 30 000. */
  ackWait?: number
  /** Told of what could not be stored, without its content. Default: nobody. */
  log?: Record<'warn' | 'error', (details: object, text: string) => void>
}

export interface StreamCopy {
  /** Stores and acknowledges what was taken, then resolves. */
  stop (): Promise<void>
}

const KNOWN: KnownOptions<CopyStreamOptions> = {
  connection: true, sink: true, stream: true, durable: true, batch: true, ackWait: true, log: true
}
const NANOS = 1_000_000
const NOT_FOUND = 10014
/** Events that are given to the sink at a time, and in one write. */
const MOST_EVENTS = 2_000
const WRITE_SIZE = 500
const FIRST_DELAY = 500
const LONGEST_DELAY = 30_000
/** Until more is fetched after nothing could be stored. */
const LONGEST_PAUSE = 2_000
/** For a broker that hangs, at the end. */
const PATIENCE = 2_000
const ACK = '+ACK'
const TERM = '+TERM'

/**
 * Copies a stream into a sink, message by message: what the sink has stored is acknowledged, what it can't store now comes again later.
 *
 * @throws an Error that says what is wrong with the stream or with an existing consumer of that name
 */
export async function copyStream (options: CopyStreamOptions): Promise<StreamCopy> {
  refuseUnknownMembers('copyStream', '', options, KNOWN)
  const { connection, sink, stream = 'events', durable = 'gatehouse-sql', batch = 500, ackWait = 30_000, log } = options
  for (const [option, value] of Object.entries({ stream, durable })) {
    if (!/^[A-Za-z0-9_-]{1,100}$/.test(value)) throw new INVALID_OPTIONS(`jetstream: "${option}" must be letters, digits, "_" and "-"`)
  }
  for (const [option, value] of Object.entries({ batch, ackWait })) {
    assertWholeNumber('jetstream', option, value)
  }
  const [{ createInbox }, { jetstreamManager }] = await Promise.all([
    importOptional('@nats-io/transport-node', () => import('@nats-io/transport-node'), 'The copy of a stream'),
    importOptional('@nats-io/jetstream', () => import('@nats-io/jetstream'), 'The copy of a stream')
  ])
  await ensureConsumer(await jetstreamManager(connection), stream, {
    durable_name: durable, ack_policy: 'explicit', deliver_policy: 'all', ack_wait: ackWait * NANOS, max_deliver: -1, max_ack_pending: 20 * batch
  })
  let refusal = ''
  const puller = new Puller({
    connection,
    link: NatsLink.of(connection),
    inbox: createInbox((connection as { options?: { inboxPrefix?: string } }).options?.inboxPrefix),
    stream,
    durable,
    batch,
    onRefusal (reason) {
      if (reason !== refusal) log?.warn({ stream, durable, reason }, 'jetstream: the broker gives no messages')
      refusal = reason
    }
  })
  const stopping = new AbortController()
  const over = run().catch((error: unknown) => log?.error({ stream, durable, err: error }, 'jetstream: the copy has ended'))

  async function run (): Promise<void> {
    let failures = 0
    for (let messages = await puller.next(); messages.length > 0; messages = await puller.next()) {
      refusal = ''
      const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(failures, 10))
      const stored = await store(messages, delay)
      failures = stored === messages.length ? 0 : failures + 1
      // One that can never be stored holds up no other.
      if (stored === 0) await sleep(Math.min(delay, LONGEST_PAUSE), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  /** How many are done with; gives back the others. */
  async function store (messages: readonly Msg[], delay: number): Promise<number> {
    const failed: unknown[] = []
    let writes: Array<Promise<void>> = []
    let events = 0
    for (const message of messages) {
      const { events: decoded, broken } = decodeMessage(message.data)
      if (broken > 0) log?.error({ stream, sequence: sequenceOf(message), broken }, 'jetstream: a message holds what is no event; that is left out')
      const size = Math.min(decoded.length, WRITE_SIZE)
      if (events + size > MOST_EVENTS) {
        await Promise.all(writes)
        writes = []
        events = 0
      }
      events += size
      writes.push(settle(message, decoded))
    }
    await Promise.all(writes)
    if (failed.length > 0) log?.warn({ stream, messages: failed.length, err: failed[0], delay }, 'jetstream: messages could not be stored; they come again')
    return messages.length - failed.length

    async function settle (message: Msg, decoded: readonly AcceptedEvent[]): Promise<void> {
      if (decoded.length === 0) return answer(message, TERM)
      try {
        for (let at = 0; at < decoded.length; at += WRITE_SIZE) await sink.write(decoded.slice(at, at + WRITE_SIZE))
        answer(message, ACK)
      } catch (error) {
        failed.push(error)
        answer(message, `-NAK {"delay":${delay * NANOS}}`)
      }
    }
  }

  /** One that is lost means that the message comes again. */
  function answer (message: Msg, text: string): void {
    try {
      message.respond(text)
    } catch {} // The connection is closed, or on its way there.
  }

  return {
    async stop () {
      stopping.abort()
      await Promise.all([puller.stop(), over])
      // So that the acknowledgements have left.
      if (NatsLink.of(connection).up) await waitAtMost(connection.flush().catch(() => {}), PATIENCE)
    }
  }
}

async function ensureConsumer (manager: JetStreamManager, stream: string, wanted: Partial<ConsumerConfig> & { durable_name: string }): Promise<void> {
  const { durable_name } = wanted
  try {
    const { config } = await manager.consumers.info(stream, durable_name).catch((error: unknown) => {
      if ((error as { code?: unknown } | null)?.code === NOT_FOUND) return manager.consumers.add(stream, wanted)
      throw error
    })
    const wrong = faultsOf(config)
    if (wrong.length > 0) throw new Error(`it exists, but ${wrong.join('; ')}`)
  } catch (cause) {
    throw new Error(`jetstream: the consumer "${durable_name}" of the stream "${stream}" can't be used: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function faultsOf (config: ConsumerConfig): string[] {
  const faults: Array<[boolean, string]> = [
    [config.ack_policy !== 'explicit', `its messages are acknowledged by "${config.ack_policy}", not one by one`],
    [config.deliver_subject !== undefined, 'messages are pushed to it'],
    [(config.max_deliver ?? -1) > 0, `it gives up a message after ${config.max_deliver} attempts`],
    [(config.filter_subject ?? '') !== '' || (config.filter_subjects ?? []).length > 0, 'it takes some subjects only']
  ]
  return faults.flatMap(([wrong, sentence]) => wrong ? [sentence] : [])
}

/** Its number in the stream; `$JS.ACK` has the domain and the account in between where the broker says so. */
function sequenceOf ({ reply = '' }: Msg): number {
  const tokens = reply.split('.')
  return Number(tokens[tokens.length >= 11 ? 7 : 5])
}
