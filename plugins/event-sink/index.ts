import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { watchRoutes } from '../../lib/guard/route-check.js'
import { startSweeper } from '../../lib/sweeper.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { memorySink } from './memory/index.js'
import { DEDUPLICATION_WINDOW } from '../../contracts/event-sink.js'
import type { EventSink } from '../../contracts/event-sink.js'

export interface EventSinkOptions {
  /** Where events go; closed with the app. Default: the memory of the process, which says so at start-up. */
  sink?: EventSink
  /** How often a sink that keeps ids forgets the old ones, milliseconds; 0: never, something else calls `sweep`. Default: 60 000. */
  sweepEvery?: number
  /**
   * For how long events are kept, milliseconds, a day or more, in a sink that can delete them, and then to the end of that UTC day: SQL drops
   * whole days at once. `Infinity`: for ever. Default: `Infinity`.
   */
  retention?: number
  /** The clock by which events grow old, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    eventSink: EventSink
  }
}

const KNOWN: KnownOptions<EventSinkOptions> = { sink: true, sweepEvery: true, retention: true, now: true }
const DAY = 24 * 60 * 60 * 1000
const METHODS = ['write', 'ready', 'close'] as const satisfies ReadonlyArray<keyof EventSink>

const eventSink: FastifyPluginAsync<EventSinkOptions> = async (app, options) => {
  refuseUnknownOptions('eventSink', options, KNOWN)
  watchRoutes(app)
  const { sink, sweepEvery = 60_000, retention = Infinity, now = Date.now } = options
  if (typeof retention !== 'number' || !(retention >= DEDUPLICATION_WINDOW)) {
    throw new INVALID_OPTIONS('event-sink: "retention" must be a number of milliseconds, a day or more, as long as repeats are told from new events')
  }
  if (sink !== undefined) assertSink(sink)
  if (sink === undefined) app.log.warn('event-sink: events are kept in memory and lost when the process ends')
  const chosen = sink ?? memorySink()
  if (retention !== Infinity && chosen.expire === undefined) {
    throw new INVALID_OPTIONS('event-sink: this sink can\'t delete events by age; leave "retention" out and limit their age where they are kept')
  }

  async function sweep (signal: AbortSignal): Promise<void> {
    await chosen.sweep?.(signal)
    const due = Math.max(0, now() - retention)
    if (retention !== Infinity && !signal.aborted) await chosen.expire?.(due - due % DAY, signal)
  }

  const stopSweeping = startSweeper(app, { name: 'event-sink', sweepEvery, sweep })
  app.decorate('eventSink', chosen)
  app.addHook('onClose', async () => {
    // Together: what waits to be written has no time for a sweep to end.
    await Promise.all([chosen.close(), stopSweeping()])
  })
}

function assertSink (sink: unknown): void {
  const missing = METHODS.filter((method) => typeof (sink as Partial<EventSink> | null)?.[method] !== 'function')
  if (missing.length > 0) {
    throw new INVALID_OPTIONS(`event-sink: "sink" is no event sink, it lacks ${missing.join(', ')}; make one with memorySink() or await sqlSink()`)
  }
}

export default fp(eventSink, { name: 'gatehouse-event-sink', fastify: '5.x' })
export { memorySink } from './memory/index.js'
export type { MemorySinkOptions } from './memory/index.js'
export * from '../../contracts/event-sink.js'
export { eventText, viewEvent } from './event-view.js'
