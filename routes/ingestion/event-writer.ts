import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { EventFeed } from '../../plugins/event-feed/index.js'
import { shownAddress, typeIn } from '../../plugins/event-feed/refusal.js'
import { CHANNELS } from '../../lib/channels.js'
import type { IngestedMessage } from '../../lib/channels.js'
import { refusedOutcome } from '../../lib/counts/outcomes.js'
import { logRefusedEvent } from '../../lib/refusal-log/index.js'
import { traced } from '../../lib/trace.js'
import { hasQuota } from '../../lib/limits/event-quota.js'
import type { EventQuotas } from '../../lib/limits/event-quota.js'
import type { EventRate } from '../../lib/limits/event-rate.js'
import { quotaError } from '../../lib/limits/quota-check.js'
import type { AcceptedEvent, EventSink } from '../../contracts/event-sink.js'
import type { OutcomeCounts, Source } from '../../contracts/token-store/index.js'
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
  readonly #counts: OutcomeCounts
  readonly #quotas: EventQuotas | null

  constructor (
    server: FastifyInstance,
    sink: EventSink,
    feed: EventFeed,
    rate: EventRate,
    quotas: EventQuotas | null,
    isBotAgent: BotCheck
  ) {
    this.#server = server
    this.isBotAgent = isBotAgent
    this.#sink = sink
    this.#feed = feed
    this.#rate = rate
    this.#counts = server.outcomeCounts
    this.#quotas = quotas
  }

  /**
   * Resolves when the sink has stored the events, all of one source, durably. Leaves out events of bots if the source
   * drops them. Rejects with `UNAVAILABLE` if the sink does not confirm in time, and with `RATE_LIMITED`, and stores
   * none of the events, if the quota of the source has too little room. All events count against the rate of the
   * source, also if the write fails.
   */
  write (source: Readonly<Source>, events: readonly AcceptedEvent[]): Promise<void> {
    this.#rate.debit(source, events.length)
    const bots = countBots(events)
    return bots === 0 ? this.#writeAll(source, events) : this.#writeWithBots(source, events, bots)
  }

  #writeAll (source: Readonly<Source>, events: readonly AcceptedEvent[]): Promise<void> {
    const written = this.#quotas !== null && hasQuota(source)
      ? this.#writeWithin(this.#quotas, source, events)
      : this.#store(events)
    return written.then(() => {
      if (this.#sink.counts === undefined) this.#countConfirmed(source, events)
      this.#feed.accepted(source, events)
      this.#publish('accepted', events.length)
    })
  }

  async #writeWithBots (source: Readonly<Source>, events: readonly AcceptedEvent[], bots: number): Promise<void> {
    const dropping = source.bots === 'drop'
    const stored = dropping ? events.filter(({ bot }) => bot !== true) : events
    if (stored.length > 0) await this.#writeAll(source, stored)
    this.#feed.bots(source, dropping ? 'dropped' : 'tagged', bots)
    if (!dropping) return
    this.#counts.add('source', source.orgId, source.id, 'bot', bots)
    this.#publish('bot', bots)
  }

  /** Stores events that fit into the quotas of the source. */
  async #writeWithin (
    quotas: EventQuotas,
    source: Readonly<Source>,
    events: readonly AcceptedEvent[]
  ): Promise<void> {
    const used = await quotas.take(source, events.length)
    if (used !== null) throw quotaError(used, quotas.now())
    let isStored = false
    try {
      await this.#store(events)
      isStored = true
    } finally {
      quotas.settle(source, events.length, isStored)
    }
  }

  #store (events: readonly AcceptedEvent[]): Promise<void> {
    return CHANNELS.step.hasSubscribers ? this.#writeTraced(events) : this.#sink.write(events)
  }

  /**
   * Reports the rejected events of an accepted batch to the event feed and the log. `values` contains the rejected
   * events at their indexes; `context` is the context of the batch.
   */
  reportRejected (
    request: FastifyRequest,
    { source, receivedAt, ip }: Pick<IngestContext, 'source' | 'receivedAt' | 'ip'>,
    errors: readonly EventError[],
    values: readonly unknown[],
    context?: unknown
  ): void {
    for (const { index, messageId, code, message } of errors) {
      const status = STATUS[code] ?? 400
      logRefusedEvent(request, { index, code, status, message })
      this.#counts.add('source', source.orgId, source.id, refusedOutcome(code))
      this.#publish('refused', 1, code)
      this.#feed.refused(source, code, () => ({
        status,
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

  #writeTraced (events: readonly AcceptedEvent[]): Promise<void> {
    return traced({ kind: 'write', attributes: { 'gatehouse.events': events.length } }, () => this.#sink.write(events))
  }

  /** Counts the events that a sink without counts has confirmed. */
  #countConfirmed ({ id, orgId }: Readonly<Source>, events: readonly AcceptedEvent[]): void {
    let accepted = 0
    let bytes = 0
    for (const { payload, repeat } of events) {
      if (repeat === true) continue
      accepted++
      bytes += Buffer.byteLength(payload)
    }
    if (accepted > 0) this.#counts.add('source', orgId, id, 'accepted', accepted, bytes)
    const repeats = events.length - accepted
    if (repeats > 0) this.#counts.add('source', orgId, id, 'deduplicated', repeats)
  }

  #publish (outcome: IngestedMessage['outcome'], events: number, code?: string): void {
    if (!CHANNELS.ingested.hasSubscribers) return
    const server = this.#server
    CHANNELS.ingested.publish(code === undefined ? { server, outcome, events } : { server, outcome, events, code })
  }
}

function countBots (events: readonly AcceptedEvent[]): number {
  let bots = 0
  for (const { bot } of events) if (bot === true) bots++
  return bots
}
