import type { NatsConnection } from '@nats-io/transport-node'

import { INVALID_OPTIONS, UNAVAILABLE } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { NatsLink } from '../../../lib/nats/link.js'
import { importOptional } from '../../../lib/optional-package.js'
import { eventId } from '../event-id.js'
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

export interface JetstreamSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** Of `connectNats()`, or the application's own; it stays open when the sink is closed. */
  connection: NatsConnection
  /** Where the events go. Default: a stream `events` on one broker, without limits. */
  stream?: StreamOptions
  /**
   * `event`: a message for each event, on `<prefix>.<org>.<source>.<type>`, which the broker tells from its repeats. `flush`: all events that
   * wait for the same flush in one message, on `<prefix>._packed`, a line each; several times as many events, but readers must drop the
   * repeats, as `copyStream()` does. Default: `event`.
   */
  packing?: 'event' | 'flush'
}

const KNOWN: KnownOptions<JetstreamSinkOptions> = {
  connection: true, stream: true, packing: true, maxPending: true, ackTimeout: true, maxBatch: true
}
/** Milliseconds in which a broker that is well answers. */
const READY_LIMIT = 2_000

/**
 * Publishes events to a stream of NATS JetStream; a write resolves when the broker has acknowledged all of it. A short absence of the broker
 * is waited for, a longer one refused at once, and nothing is kept meanwhile but the writes that wait.
 *
 * @throws an Error that says what to do when JetStream can't be reached or is off, or the stream does not keep what the sink promises
 */
export async function jetstreamSink (sinkOptions: JetstreamSinkOptions): Promise<EventSink> {
  refuseUnknownMembers('jetstreamSink', '', sinkOptions, KNOWN)
  const { connection, stream = {}, packing = 'event', ackTimeout = 5_000, ...options } = sinkOptions
  if (packing !== 'event' && packing !== 'flush') throw new INVALID_OPTIONS('jetstream: "packing" must be "event" or "flush"')
  const pack = packing === 'event' ? messagesOf : packedMessagesOf
  const settings = streamSettings(stream, packing === 'flush')
  const commit = new GroupCommit({ ...options, ackTimeout, isDataError: (error) => error instanceof UnpublishableEvent, flush })
  const [{ createInbox, headers }, { jetstreamManager }] = await Promise.all([
    importOptional('@nats-io/transport-node', () => import('@nats-io/transport-node'), 'The JetStream event sink'),
    importOptional('@nats-io/jetstream', () => import('@nats-io/jetstream'), 'The JetStream event sink')
  ])
  const link = NatsLink.of(connection)
  await link.whenUp(performance.now() + ackTimeout, ackTimeout)
  const manager = await jetstreamManager(connection).catch((cause: unknown) => {
    throw new Error(`jetstream: the broker has no JetStream for this account, or does not answer: ${cause instanceof Error ? cause.message : ''}`, { cause })
  })
  assertMaxPayload(maxPayload())
  await ensureStream(manager, settings)

  const known = new KnownIds()
  const probe = await jetstreamManager(connection, { timeout: READY_LIMIT, checkAPI: false })
  let probing: Promise<unknown> | undefined
  const publisher = new Publisher({ connection, link, inbox: createInbox(inboxPrefixOf(connection)), headers: headers(), stream: settings.name, ackTimeout })

  async function flush (events: readonly AcceptedEvent[]): Promise<void> {
    const fresh = new Map<string, AcceptedEvent>()
    for (const event of events) {
      const id = eventId(event)
      if (!fresh.has(id) && !known.has(id, event.receivedAt)) fresh.set(id, event)
      else if (event.repeat === false) event.repeat = true
    }
    if (fresh.size === 0) return
    await publisher.publish(pack(fresh, settings.subjectPrefix, maxPayload()))
    for (const [id, { receivedAt }] of fresh) known.add(id, receivedAt)
  }

  function maxPayload (): number {
    return connection.info?.max_payload ?? 1024 * 1024
  }

  async function ready (): Promise<void> {
    if (!link.up) throw new UNAVAILABLE({ reason: 'NATS is away' })
    // One question at a time, however often it is asked: to a broker that hangs they would pile up.
    probing ??= probe.streams.info(settings.name).finally(() => { probing = undefined })
    await probing.catch((cause: unknown) => { throw new UNAVAILABLE({ cause }) })
  }

  return {
    write: (events) => commit.write(events),
    ready,
    async close () {
      await commit.close()
      publisher.close()
    }
  }
}

/** Of an account that may not subscribe to the usual ones; no public method tells it. */
function inboxPrefixOf (connection: NatsConnection): string | undefined {
  return (connection as { options?: { inboxPrefix?: string } }).options?.inboxPrefix
}
export type { GroupCommitOptions } from '../group-commit.js'
export type * from '../../../contracts/event-sink.js'
