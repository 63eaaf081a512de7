import type { FastifyBaseLogger, FastifyInstance } from 'fastify'

import type { AcceptedEvent } from '../../contracts/event-sink.js'
import type { RefusedMessage } from '../../lib/refuse.js'
import type { Source } from '../../contracts/token-store/index.js'
import { EventCounts } from './counts.js'
import type { SourceCounts } from './counts.js'
import { refusalOf } from './refusal.js'
import type { Refusal } from './refusal.js'

/** Hears of the events of one organisation, in the turn in which they were taken or refused: it must not take long. */
export interface EventWatcher {
  accepted (event: AcceptedEvent): void
  refused (refusal: Refusal): void
}

const FEED: unique symbol = Symbol('gatehouse event feed')

type Scope = FastifyInstance & { [FEED]?: EventFeed }

/** What this process takes and refuses, as it happens. For an organisation that nobody watches it only counts. */
export class EventFeed {
  /** Since when it counts, epoch milliseconds. */
  readonly since = Date.now()
  readonly #log: FastifyBaseLogger
  readonly #counts = new EventCounts()
  readonly #watchers = new Map<string, Set<EventWatcher>>()

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Events of one source that are durable now. Never throws: they can't be refused any more. */
  accepted ({ id, orgId }: Readonly<Source>, events: readonly AcceptedEvent[]): void {
    this.#counts.of(orgId, id).accepted += events.length
    const watchers = this.#watchers.get(orgId)
    if (watchers === undefined) return
    this.#tell(watchers, (watcher) => {
      for (const event of events) watcher.accepted(event)
    })
  }

  /** How many events of one source were a bot's. */
  bots ({ id, orgId }: Readonly<Source>, outcome: 'tagged' | 'dropped', events: number): void {
    const counts = this.#counts.of(orgId, id)
    counts.bots ??= { tagged: 0, dropped: 0 }
    counts.bots[outcome] += events
  }

  /** A request or an event of a batch that was refused; what there is to say of it is asked for if anyone watches. Never throws. */
  refused ({ id, orgId }: Readonly<Source>, code: string, describe: () => Refusal): void {
    const { refused } = this.#counts.of(orgId, id)
    refused[code] = (refused[code] ?? 0) + 1
    const watchers = this.#watchers.get(orgId)
    if (watchers === undefined) return
    this.#tell(watchers, (watcher) => watcher.refused(describe()))
  }

  /** From now on the watcher hears of the organisation's events, until what this returns is called. */
  watch (orgId: string, watcher: EventWatcher): () => void {
    const watchers = this.#watchers.get(orgId) ?? new Set()
    this.#watchers.set(orgId, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0 && this.#watchers.get(orgId) === watchers) this.#watchers.delete(orgId)
    }
  }

  /** Of the organisation's sources, at most 100, the one last heard of first. */
  counts (orgId: string): Iterable<[sourceId: string, counts: Readonly<SourceCounts>]> {
    return this.#counts.list(orgId)
  }

  /** Hears of every request of the scope that is refused once its source is known. */
  follow (scope: FastifyInstance): void {
    (scope as Scope)[FEED] = this
  }

  /** Listens to the refusals of the whole process, of which those of the scopes that it follows are its own. */
  readonly onRefused = (message: unknown): void => {
    const { request, error } = message as RefusedMessage
    const { source } = request
    if (source == null || (request.server as Scope)[FEED] !== this) return
    this.refused(source, error.code, () => refusalOf(request, source, error))
  }

  #tell (watchers: Set<EventWatcher>, what: (watcher: EventWatcher) => void): void {
    for (const watcher of watchers) {
      try {
        what(watcher)
      } catch (error) {
        this.#log.error(error, 'event-feed: a watcher failed')
      }
    }
  }
}
