import type { NatsConnection } from '@nats-io/transport-node'

import { UNAVAILABLE } from '../../../lib/errors.js'
import { optionAssertion, refuseUnknownMembers } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import { NatsLink } from '../../../lib/nats/link.js'
import { importOptional } from '../../../lib/optional-package.js'
import { GroupCommit } from '../group-commit.js'
import type { GroupCommitOptions } from '../group-commit.js'
import { UnpublishableEvent, messagesOf, packedMessagesOf } from './packing.js'
import { Publisher } from './publish.js'
import { assertMaxPayload, ensureStream, streamSettings } from './stream.js'
import type { StreamOptions } from './stream.js'
import { KnownIds } from '../known-ids.js'
import type { AcceptedEvent, EventSink } from '../../../contracts/event-sink.js'

export { copyStream } from './consumer.js'
export type { CopyStreamOptions, StreamCopy } from './consumer.js'
export { decodeMessage } from './message.js'
export type { DecodedMessage } from './message.js'
export type { StreamOptions } from './stream.js'
export { fromToken, toToken } from './subject.js'
export { connectNats } from '../../../lib/nats/connect.js'
export type { NatsOptions } from '../../../lib/nats/connect.js'

/** Options of `jetstreamSink`. */
export interface JetstreamSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** A connection from `connectNats()` or the application's own; it stays open when the sink is closed. */
  connection: NatsConnection
  /** The stream for the events. Default: a stream `events` on one broker, without limits. */
  stream?: StreamOptions
  /**
   * `event` publishes one message per event on `<prefix>.<org>.<source>.<type>`; the broker drops duplicates. `flush`
   * publishes all events of a flush as lines of one message on `<prefix>._packed`: several times the throughput, but
   * readers must drop duplicates, as `copyStream()` does. Default: `event`.
   */
  packing?: 'event' | 'flush'
}

const KNOWN: KnownOptions<JetstreamSinkOptions> = {
  connection: true,
  stream: true,
  packing: true,
  maxPending: true,
  ackTimeout: true,
  maxBatch: true
}
const assertOption: AssertOption = optionAssertion('jetstream')
/** Timeout of the readiness check, milliseconds. */
const READY_TIMEOUT = 2_000

/**
 * Creates a sink that publishes events to a NATS JetStream stream. A write resolves when the broker has acknowledged
 * all its events. During a short outage writes wait; during a longer one they reject at once. Nothing else is buffered.
 *
 * @throws an Error that says what to do when JetStream is unreachable or disabled, or when the stream's configuration
 * does not meet the guarantees of the sink
 *
 * @example
 * const connection = await connectNats({ url: 'nats://127.0.0.1:4222' })
 * app.register(eventSink, { sink: await jetstreamSink({ connection }) })
 */
export async function jetstreamSink (sinkOptions: JetstreamSinkOptions): Promise<EventSink> {
  refuseUnknownMembers('jetstreamSink', '', sinkOptions, KNOWN)
  const { connection, stream = {}, packing = 'event', ackTimeout = 5_000, ...options } = sinkOptions
  assertOption(packing === 'event' || packing === 'flush', 'packing', '"event" or "flush"', packing)
  const pack = packing === 'event' ? messagesOf : packedMessagesOf
  const settings = streamSettings(stream, packing === 'flush')
  const commit = new GroupCommit({
    ...options,
    ackTimeout,
    isDataError: (error) => error instanceof UnpublishableEvent,
    flush
  })
  const [{ createInbox, headers }, { jetstreamManager }] = await Promise.all([
    importOptional('@nats-io/transport-node', () => import('@nats-io/transport-node'), 'The JetStream event sink'),
    importOptional('@nats-io/jetstream', () => import('@nats-io/jetstream'), 'The JetStream event sink')
  ])
  const link = NatsLink.of(connection)
  await link.whenUp(performance.now() + ackTimeout, ackTimeout)
  const manager = await jetstreamManager(connection).catch((cause: unknown) => {
    throw new Error(
      `jetstream: JetStream is disabled for this account, or the broker does not respond: ${
        cause instanceof Error ? cause.message : ''
      }`,
      { cause }
    )
  })
  assertMaxPayload(maxPayload())
  await ensureStream(manager, settings)

  const known = new KnownIds()
  const probe = await jetstreamManager(connection, { timeout: READY_TIMEOUT, checkAPI: false })
  let probing: Promise<unknown> | undefined
  const publisher = new Publisher({
    connection,
    link,
    inbox: createInbox(inboxPrefixOf(connection)),
    headers: headers(),
    stream: settings.name,
    ackTimeout
  })

  /** Resolves with the number of duplicates. With packed messages only those that this process knows are counted. */
  async function flush (events: readonly AcceptedEvent[]): Promise<number> {
    const fresh = known.unknownOf(events)
    if (fresh.size === 0) return events.length
    const repeated = await publisher.publish(pack(fresh, settings.subjectPrefix, maxPayload()))
    known.addAll(fresh)
    return events.length - fresh.size + (packing === 'event' ? repeated : 0)
  }

  function maxPayload (): number {
    return connection.info?.max_payload ?? 1024 * 1024
  }

  async function ready (): Promise<void> {
    if (!link.up) throw new UNAVAILABLE({ reason: 'NATS is unavailable' })
    // One probe at a time: concurrent calls share it, so that probes do not queue up at a broker that hangs.
    probing ??= probe.streams.info(settings.name).finally(() => {
      probing = undefined
    })
    await probing.catch((cause: unknown) => {
      throw new UNAVAILABLE({ cause })
    })
  }

  return {
    write: (events) => commit.write(events),
    ready,
    load: commit.load,
    async close () {
      await commit.close()
      publisher.close()
    }
  }
}

/** Returns the connection's inbox prefix, for which the client has no public method. */
function inboxPrefixOf (connection: NatsConnection): string | undefined {
  return (connection as { options?: { inboxPrefix?: string } }).options?.inboxPrefix
}
export type { GroupCommitOptions } from '../group-commit.js'
export type * from '../../../contracts/event-sink.js'
export type { PoolUsage, ReadPools } from '../../../contracts/backend-load.js'
