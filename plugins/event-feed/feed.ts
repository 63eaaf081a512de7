import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'

import type { AcceptedEvent } from '../../contracts/event-sink.js'
import type { RefusedMessage } from '../../lib/channels.js'
import { refusedOutcome } from '../../lib/counts/outcomes.js'
import type { Source } from '../../contracts/token-store/index.js'
import { EventCounts } from './counts.js'
import type { SourceCounts } from './counts.js'
import { refusalOf } from './refusal.js'
import type { Refusal } from './refusal.js'

/** Receives the events of one organisation, synchronously with their acceptance or refusal: it must be fast. */
export interface EventWatcher {
  /** Called for each event that is durable. */
  accepted (event: AcceptedEvent): void
  /** Called for each refused request or event. */
  refused (refusal: Refusal): void
}

const FEED: unique symbol = Symbol('gatehouse event feed')

type Scope = FastifyInstance & { [FEED]?: EventFeed }

/** The events that this process accepts and refuses, live. Without a watcher for an organisation, only counts. */
export class EventFeed {
  /** When counting started, epoch milliseconds. */
  readonly since = Date.now()
  readonly #log: FastifyBaseLogger
  readonly #counts = new EventCounts()
  readonly #watchers = new Map<string, Set<EventWatcher>>()

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Reports durable events of one source. Never throws, as they can no longer be refused. */
  accepted ({ id, orgId }: Readonly<Source>, events: readonly AcceptedEvent[]): void {
    this.#counts.of(orgId, id).accepted += events.length
    const watchers = this.#watchers.get(orgId)
    if (watchers === undefined) return
    this.#notify(watchers, (watcher) => {
      for (const event of events) watcher.accepted(event)
    })
  }

  /** Counts events of bots of one source. */
  bots ({ id, orgId }: Readonly<Source>, outcome: 'tagged' | 'dropped', events: number): void {
    const counts = this.#counts.of(orgId, id)
    counts.bots ??= { tagged: 0, dropped: 0 }
    counts.bots[outcome] += events
  }

  /** Reports a refused request or event of a batch; `describe` is called only if there is a watcher. Never throws. */
  refused ({ id, orgId }: Readonly<Source>, code: string, describe: () => Refusal): void {
    const { refused } = this.#counts.of(orgId, id)
    refused[code] = (refused[code] ?? 0) + 1
    const watchers = this.#watchers.get(orgId)
    if (watchers === undefined) return
    this.#notify(watchers, (watcher) => watcher.refused(describe()))
  }

  /**
   * Adds a watcher of an organisation's events; returns a function that removes it.
   *
   * @example
   * const stop = app.eventFeed.watch('acme', { accepted: (event) => {}, refused: (refusal) => {} })
   */
  watch (orgId: string, watcher: EventWatcher): () => void {
    const watchers = this.#watchers.get(orgId) ?? new Set()
    this.#watchers.set(orgId, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      if (watchers.size === 0 && this.#watchers.get(orgId) === watchers) this.#watchers.delete(orgId)
    }
  }

  /** Returns the counters of the organisation's sources, at most 100, the most recently active first. */
  counts (orgId: string): Iterable<[sourceId: string, counts: Readonly<SourceCounts>]> {
    return this.#counts.list(orgId)
  }

  /** Reports refused requests of a scope whose source is known. */
  follow (scope: FastifyInstance): void {
    (scope as Scope)[FEED] = this
  }

  /** Returns whether a request sends events to a scope that this feed follows: a preflight or a script does not. */
  isEventRequest ({ server, method, routeOptions }: FastifyRequest): boolean {
    return (server as Scope)[FEED] === this && (method === 'POST' || routeOptions.config.eventType !== undefined)
  }

  /** Handles the refusals of the whole process; ignores those of scopes that this feed does not follow. */
  readonly onRefused = (message: unknown): void => {
    const { request, error } = message as RefusedMessage
    const { source } = request
    if (source == null || (request.server as Scope)[FEED] !== this) return
    if (this.isEventRequest(request)) {
      request.server.outcomeCounts.add('source', source.orgId, source.id, refusedOutcome(error.code))
    }
    this.refused(source, error.code, () => refusalOf(request, source, error))
  }

  #notify (watchers: Set<EventWatcher>, notify: (watcher: EventWatcher) => void): void {
    for (const watcher of watchers) {
      try {
        notify(watcher)
      } catch (error) {
        this.#log.error(error, 'event-feed: a watcher threw an error')
      }
    }
  }
}
