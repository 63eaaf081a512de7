import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { COUNT_RETENTION } from '../../lib/counts/count-table.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { watchRoutes } from '../../lib/guard/route-check.js'
import { startSweeper } from '../../lib/sweeper.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { memorySink } from './memory/index.js'
import { DEDUPLICATION_WINDOW } from '../../contracts/event-sink.js'
import type { EventSink } from '../../contracts/event-sink.js'

/** Options of the `eventSink` plugin. */
export interface EventSinkOptions {
  /** Stores the events; closed with the app. Default: a sink in memory, with a warning at start-up. */
  sink?: EventSink
  /** Interval of deleting old message ids, milliseconds; 0 disables it, call `sweep` yourself. Default: 60 000. */
  sweepEvery?: number
  /**
   * How long events are kept, milliseconds, at least a day; the sink must support deletion. Events are deleted by whole
   * UTC days. `Infinity` keeps them forever. Default: `Infinity`.
   */
  retention?: number
  /** Milliseconds for which the sink's counts by hour are kept, at least a day. Default: 400 days. */
  countRetention?: number
  /** The clock for the age of events, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The sink that stores accepted events. */
    eventSink: EventSink
  }
}

const KNOWN: KnownOptions<EventSinkOptions> = {
  sink: true,
  sweepEvery: true,
  retention: true,
  countRetention: true,
  now: true
}
const DAY = 24 * 60 * 60 * 1000
const METHODS = ['write', 'ready', 'close'] as const satisfies ReadonlyArray<keyof EventSink>

const eventSink: FastifyPluginAsync<EventSinkOptions> = async (app, options) => {
  refuseUnknownOptions('eventSink', options, KNOWN)
  watchRoutes(app)
  const { sink, sweepEvery = 60_000, retention = Infinity, countRetention = COUNT_RETENTION, now = Date.now } = options
  assertWholeNumber('event-sink', 'countRetention', countRetention, { min: DAY, unit: 'milliseconds' })
  if (typeof retention !== 'number' || !(retention >= DEDUPLICATION_WINDOW)) {
    throw new INVALID_OPTIONS(
      'event-sink: "retention" must be at least a day (in milliseconds), the window in which ' +
        'duplicates are detected'
    )
  }
  if (sink !== undefined) assertSink(sink)
  if (sink === undefined) app.log.warn('event-sink: events are kept in memory and lost when the process ends')
  const chosen = sink ?? memorySink()
  if (retention !== Infinity && chosen.expire === undefined) {
    throw new INVALID_OPTIONS(
      'event-sink: this sink cannot delete events by age; remove "retention" and limit their age ' +
        'in the backend'
    )
  }

  async function sweep (signal: AbortSignal): Promise<void> {
    await chosen.sweep?.(signal)
    if (!signal.aborted) await chosen.counts?.expire(now() - countRetention)
    const due = Math.max(0, now() - retention)
    if (retention !== Infinity && !signal.aborted) await chosen.expire?.(due - due % DAY, signal)
  }

  const stopSweeping = startSweeper(app, { name: 'event-sink', sweepEvery, sweep })
  app.decorate('eventSink', chosen)
  app.addHook('onClose', async () => {
    // Concurrently: pending writes must not wait for a sweep to end.
    await Promise.all([chosen.close(), stopSweeping()])
  })
}

function assertSink (sink: unknown): void {
  const missing = METHODS.filter((method) => typeof (sink as Partial<EventSink> | null)?.[method] !== 'function')
  if (missing.length > 0) {
    throw new INVALID_OPTIONS(
      `event-sink: "sink" is not an event sink, it lacks ${missing.join(', ')}; ` +
        'create one with memorySink() or await sqlSink()'
    )
  }
}

export default fp(eventSink, { name: 'gatehouse-event-sink', fastify: '5.x' })
export { memorySink } from './memory/index.js'
export type { MemorySinkOptions } from './memory/index.js'
export * from '../../contracts/event-sink.js'
export { eventJson, viewEvent } from './event-view.js'
export type { PoolUsage, ReadPools } from '../../contracts/backend-load.js'
