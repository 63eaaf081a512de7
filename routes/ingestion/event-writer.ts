import type { EventFeed } from '../../plugins/event-feed/index.js'
import { shownAddress, typeIn } from '../../plugins/event-feed/refusal.js'
import type { EventRate } from '../../lib/limits/event-rate.js'
import type { AcceptedEvent, EventSink } from '../../contracts/event-sink.js'
import type { Source } from '../../contracts/token-store/index.js'
import type { EventError } from '../../schemas/ingestion.js'
import type { BotCheck } from './bots.js'
import type { IngestContext } from './ingest-context.js'

/** Of the errors that one event of many can have; all others are 400. */
const STATUS: Readonly<Record<string, number>> = { PAYLOAD_TOO_LARGE: 413, INVALID_PIPELINE_KEY: 401 }

/** Where the events of every input end up, once nothing about them can be refused any more. */
export class EventWriter {
  /** By the `bots` option of the registration. */
  readonly isBotAgent: BotCheck
  readonly #sink: EventSink
  readonly #feed: EventFeed
  readonly #rate: EventRate

  constructor (sink: EventSink, feed: EventFeed, rate: EventRate, isBotAgent: BotCheck) {
    this.isBotAgent = isBotAgent
    this.#sink = sink
    this.#feed = feed
    this.#rate = rate
  }

  /**
   * Resolves when the events, all of one source, are durable, those of bots left out where the source drops them; rejects with
   * `UNAVAILABLE` when that can't be said in time. They count against the rate of the source whatever comes of them.
   */
  async take (source: Readonly<Source>, events: readonly AcceptedEvent[]): Promise<void> {
    this.#rate.debit(source, events.length)
    const bots = countBots(events)
    const dropping = bots > 0 && source.bots === 'drop'
    const kept = dropping ? events.filter(({ bot }) => bot !== true) : events
    if (kept.length > 0) {
      await this.#sink.write(kept)
      this.#feed.accepted(source, kept)
    }
    if (bots > 0) this.#feed.bots(source, dropping ? 'dropped' : 'tagged', bots)
  }

  /**
   * Notes the events of a batch that were refused while the batch was not. `values` are all events of the batch, `context`
   * is the context of the batch itself.
   */
  refused (
    { source, receivedAt, ip }: Pick<IngestContext, 'source' | 'receivedAt' | 'ip'>,
    errors: readonly EventError[],
    values: readonly unknown[],
    context?: unknown
  ): void {
    for (const { index, messageId, code, message } of errors) {
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
}

function countBots (events: readonly AcceptedEvent[]): number {
  let bots = 0
  for (const { bot } of events) if (bot === true) bots++
  return bots
}
