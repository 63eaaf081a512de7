import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { memorySink } from './memory.js'
import type { EventSink } from './sink.js'

export interface EventSinkOptions {
  /** Where events go; closed with the app. Default: the memory of the process, which says so at start-up. */
  sink?: EventSink
}

declare module 'fastify' {
  interface FastifyInstance {
    eventSink: EventSink
  }
}

const eventSink: FastifyPluginAsync<EventSinkOptions> = async (app, { sink }) => {
  if (sink === undefined) app.log.warn('event-sink: events are kept in memory and lost when the process ends')
  const chosen = sink ?? memorySink()
  app.decorate('eventSink', chosen)
  app.addHook('onClose', async () => chosen.close())
}

export default fp(eventSink, { name: 'gatehouse-event-sink', fastify: '5.x' })
export { memorySink } from './memory.js'
export type { MemorySinkOptions } from './memory.js'
export * from './sink.js'
export { viewEvent } from './event-view.js'
