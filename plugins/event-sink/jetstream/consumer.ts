import { setTimeout as sleep } from 'node:timers/promises'

import type { ConsumerConfig, JetStreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { waitAtMost } from '../../../lib/deadline.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { NatsLink } from '../../../lib/nats/link.js'
import { importOptional } from '../../../lib/optional-package.js'
import { decodeMessage } from './message.js'
import { Puller } from './pull.js'
import { assertName } from './stream.js'
import type { AcceptedEvent, EventSink } from '../../../contracts/event-sink.js'

/** Options of `copyStream`. */
export interface CopyStreamOptions {
  /** A connection from `connectNats()` or the application's own; it stays open. */
  connection: NatsConnection
  /** Stores the events. A sink that drops duplicates, such as `sqlSink()`, stores each once. It stays open. */
  sink: Pick<EventSink, 'write'>
  /** Name of the stream. Default: `events`. */
  stream?: string
  /** Name of the consumer, created if missing; instances with the same name share it. Default: `gatehouse-sql`. */
  durable?: string
  /** Maximum number of messages per fetch. Default: 500. */
  batch?: number
  /** Milliseconds until the broker redelivers an unacknowledged message; for a new consumer. Default: 30 000. */
  ackWait?: number
  /** Logger for events that could not be stored; their content is not logged. Default: none. */
  log?: Record<'warn' | 'error', (details: object, message: string) => void>
}

/** A running copy. */
export interface StreamCopy {
  /** Stores and acknowledges the fetched messages, then resolves. */
  stop(): Promise<void>
}

const KNOWN: KnownOptions<CopyStreamOptions> = {
  connection: true,
  sink: true,
  stream: true,
  durable: true,
  batch: true,
  ackWait: true,
  log: true
}
const NANOS = 1_000_000
const NOT_FOUND = 10014
/** Maximum number of events that the sink receives at a time, and in one write. */
const MAX_EVENTS = 2_000
const WRITE_SIZE = 500
const MIN_DELAY = 500
const MAX_DELAY = 30_000
/** Maximum pause before the next fetch when no message could be stored, milliseconds. */
const MAX_PAUSE = 2_000
/** Maximum wait for a hung broker on `stop`, milliseconds. */
const STOP_TIMEOUT = 2_000
const ACK = '+ACK'
const TERM = '+TERM'

/**
 * Copies a stream into a sink. A message is acknowledged after the sink has stored it; the others are redelivered
 * later.
 *
 * @throws an Error that says what is wrong with the stream or an existing consumer of that name
 *
 * @example
 * const copy = await copyStream({ connection, sink: await sqlSink(database), log: app.log })
 * app.addHook('onClose', () => copy.stop())
 */
export async function copyStream (options: CopyStreamOptions): Promise<StreamCopy> {
  refuseUnknownMembers('copyStream', '', options, KNOWN)
  const { connection, sink, stream = 'events', durable = 'gatehouse-sql', batch = 500, ackWait = 30_000, log } = options
  assertName('stream', stream)
  assertName('durable', durable)
  for (const [option, value] of Object.entries({ batch, ackWait })) {
    assertWholeNumber('jetstream', option, value)
  }
  const [{ createInbox }, { jetstreamManager }] = await Promise.all([
    importOptional('@nats-io/transport-node', () => import('@nats-io/transport-node'), 'The copy of a stream'),
    importOptional('@nats-io/jetstream', () => import('@nats-io/jetstream'), 'The copy of a stream')
  ])
  await ensureConsumer(await jetstreamManager(connection), stream, {
    durable_name: durable,
    ack_policy: 'explicit',
    deliver_policy: 'all',
    ack_wait: ackWait * NANOS,
    max_deliver: -1,
    max_ack_pending: 20 * batch
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
      if (reason !== refusal) {
        log?.warn({ stream, durable, reason }, 'jetstream: the broker refuses to deliver messages')
      }
      refusal = reason
    }
  })
  const stopping = new AbortController()
  const finished = run().catch((error: unknown) =>
    log?.error({ stream, durable, err: error }, 'jetstream: the copy stopped because of an error')
  )

  async function run (): Promise<void> {
    let failures = 0
    for (let messages = await puller.next(); messages.length > 0; messages = await puller.next()) {
      refusal = ''
      const delay = Math.min(MAX_DELAY, MIN_DELAY * 2 ** Math.min(failures, 10))
      const stored = await store(messages, delay)
      failures = stored === messages.length ? 0 : failures + 1
      // Pauses only if every message failed: one that can never be stored must not delay the others.
      if (stored === 0) await sleep(Math.min(delay, MAX_PAUSE), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  /** Resolves with the number of stored messages; returns the others to the broker. */
  async function store (messages: readonly Msg[], delay: number): Promise<number> {
    const failed: unknown[] = []
    let writes: Array<Promise<void>> = []
    let events = 0
    for (const message of messages) {
      const { events: decoded, broken } = decodeMessage(message.data)
      if (broken > 0) {
        log?.error(
          { stream, sequence: sequenceOf(message), broken },
          'jetstream: a message contains invalid events, which are skipped'
        )
      }
      const size = Math.min(decoded.length, WRITE_SIZE)
      if (events + size > MAX_EVENTS) {
        await Promise.all(writes)
        writes = []
        events = 0
      }
      events += size
      writes.push(settle(message, decoded))
    }
    await Promise.all(writes)
    if (failed.length > 0) {
      log?.warn(
        { stream, messages: failed.length, err: failed[0], delay },
        'jetstream: messages could not be stored and will be redelivered'
      )
    }
    return messages.length - failed.length

    async function settle (message: Msg, decoded: readonly AcceptedEvent[]): Promise<void> {
      if (decoded.length === 0) return acknowledge(message, TERM)
      try {
        for (let at = 0; at < decoded.length; at += WRITE_SIZE) await sink.write(decoded.slice(at, at + WRITE_SIZE))
        acknowledge(message, ACK)
      } catch (error) {
        failed.push(error)
        acknowledge(message, `-NAK {"delay":${delay * NANOS}}`)
      }
    }
  }

  /** Acknowledges a message. If the response is lost, the broker redelivers the message. */
  function acknowledge (message: Msg, ack: string): void {
    try {
      message.respond(ack)
    } catch {} // The connection is closed or closing.
  }

  return {
    async stop () {
      stopping.abort()
      await Promise.all([puller.stop(), finished])
      // Waits until the acknowledgements are sent.
      if (NatsLink.of(connection).up) await waitAtMost(connection.flush().catch(() => {}), STOP_TIMEOUT)
    }
  }
}

async function ensureConsumer (
  manager: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { durable_name: string }
): Promise<void> {
  const { durable_name } = config
  try {
    const { config: existing } = await manager.consumers.info(stream, durable_name).catch((error: unknown) => {
      if ((error as { code?: unknown } | null)?.code === NOT_FOUND) return manager.consumers.add(stream, config)
      throw error
    })
    const problems = problemsOf(existing)
    if (problems.length > 0) throw new Error(`it exists, but ${problems.join('; ')}`)
  } catch (cause) {
    throw new Error(
      `jetstream: the consumer "${durable_name}" of the stream "${stream}" cannot be used: ${
        cause instanceof Error ? cause.message : ''
      }`,
      { cause }
    )
  }
}

function problemsOf (config: ConsumerConfig): string[] {
  const checks: Array<[boolean, string]> = [
    [config.ack_policy !== 'explicit', `its "ack_policy" is "${config.ack_policy}", not "explicit"`],
    [config.deliver_subject !== undefined, 'it is a push consumer'],
    [(config.max_deliver ?? -1) > 0, `it drops a message after ${config.max_deliver} attempts`],
    [(config.filter_subject ?? '') !== '' || (config.filter_subjects ?? []).length > 0, 'it filters subjects']
  ]
  return checks.flatMap(([applies, problem]) => applies ? [problem] : [])
}

/** Returns the message's stream sequence from `$JS.ACK.…`, where domain and account tokens are optional. */
function sequenceOf ({ reply = '' }: Msg): number {
  const tokens = reply.split('.')
  return Number(tokens[tokens.length >= 11 ? 7 : 5])
}
