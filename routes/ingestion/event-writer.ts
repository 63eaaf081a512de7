import type { FastifyInstance } from 'fastify'

import type { EventFeed } from '../../plugins/event-feed/index.js'
import { shownAddress, typeIn } from '../../plugins/event-feed/refusal.js'
import { CHANNELS } from '../../lib/channels.js'
import type { IngestedMessage } from '../../lib/channels.js'
import type { EventRate } from '../../lib/limits/event-rate.js'
import type { AcceptedEvent, EventSink } from '../../contracts/event-sink.js'
import type { Source } from '../../contracts/token-store/index.js'
import type { EventError } from '../../schemas/ingestion.js'
import type { BotCheck } from './bots.js'
import type { IngestContext } from './ingest-context.js'

/** Status codes of the errors of a single event in a batch; all other errors are 400. */
const STATUS: Readonly<Record<string, number>> = { PAYLOAD_TOO_LARGE: 413, INVALID_PIPELINE_KEY: 401 }

/** Writes valid events to the sink and reports them to the event feed, for all ingestion routes. */
export class EventWriter {
  /** The check that the `bots` option of the registration configures. */
  readonly isBotAgent: BotCheck
  readonly #server: FastifyInstance
  readonly #sink: EventSink
  readonly #feed: EventFeed
  readonly #rate: EventRate

  constructor (
    server: FastifyInstance,
    sink: EventSink,
    feed: EventFeed,
    rate: EventRate,
    isBotAgent: BotCheck
  ) {
    this.#server = server
    this.isBotAgent = isBotAgent
    this.#sink = sink
    this.#feed = feed
    this.#rate = rate
  }

  /**
   * Resolves when the sink has stored the events, all of one source, durably. Leaves out events of bots if the source
   * drops them. Rejects with `UNAVAILABLE` if the sink does not confirm in time. All events count against the rate
   * of the source, also if the write fails.
   */
  async write (source: Readonly<Source>, events: readonly AcceptedEvent[]): Promise<void> {
    this.#rate.debit(source, events.length)
    const bots = countBots(events)
    const dropping = bots > 0 && source.bots === 'drop'
    const stored = dropping ? events.filter(({ bot }) => bot !== true) : events
    if (stored.length > 0) {
      await this.#sink.write(stored)
      this.#feed.accepted(source, stored)
      this.#publish('accepted', stored.length)
    }
    if (bots > 0) this.#feed.bots(source, dropping ? 'dropped' : 'tagged', bots)
    if (dropping) this.#publish('bot', bots)
  }

  /**
   * Reports the rejected events of an accepted batch to the event feed. `values` contains the rejected events at their
   * indexes; `context` is the context of the batch.
   */
  reportRejected (
    { source, receivedAt, ip }: Pick<IngestContext, 'source' | 'receivedAt' | 'ip'>,
    errors: readonly EventError[],
    values: readonly unknown[],
    context?: unknown
  ): void {
    for (const { index, messageId, code, message } of errors) {
      this.#publish('refused', 1, code)
      this.#feed.refused(source, code, () => ({
        status: STATUS[code] ?? 400,
        code,
        message,
        sourceId: source.id,
        environment: source.environment,
        type: typeIn(values[index]),
        messageId,
        index,
        origin: null,
        receivedAt: new Date(receivedAt).toISOString(),
        ip: shownAddress(ip, values[index], { context })
      }))
    }
  }

  #publish (outcome: IngestedMessage['outcome'], events: number, code?: string): void {
    if (!CHANNELS.ingested.hasSubscribers) return
    CHANNELS.ingested.publish({ server: this.#server, outcome, events, ...code === undefined ? {} : { code } })
  }
}

function countBots (events: readonly AcceptedEvent[]): number {
  let bots = 0
  for (const { bot } of events) if (bot === true) bots++
  return bots
}
