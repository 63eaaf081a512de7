import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../errors.js'
import { keepSwept } from '../keep-swept.js'
import { memorySink } from './memory.js'
import type { EventSink } from './sink.js'

export interface EventSinkOptions {
  /** Where events go; closed with the app. Default: the memory of the process, which says so at start-up. */
  sink?: EventSink
  /** How often a sink that keeps ids forgets the old ones, milliseconds; 0: never, something else calls `sweep`. Default: 60 000. */
  sweepEvery?: number
}

declare module 'fastify' {
  interface FastifyInstance {
    eventSink: EventSink
  }
}

const METHODS = ['write', 'ready', 'close'] as const satisfies ReadonlyArray<keyof EventSink>

const eventSink: FastifyPluginAsync<EventSinkOptions> = async (app, { sink, sweepEvery = 60_000 }) => {
  if (sink !== undefined) assertSink(sink)
  if (sink === undefined) app.log.warn('event-sink: events are kept in memory and lost when the process ends')
  const chosen = sink ?? memorySink()
  const stopSweeping = keepSwept(app, { name: 'event-sink', sweepEvery, sweep: async () => chosen.sweep?.() })
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
export { memorySink } from './memory.js'
export type { MemorySinkOptions } from './memory.js'
export * from './sink.js'
export { viewEvent } from './event-view.js'
