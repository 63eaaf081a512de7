import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { refuseUnknownOptions } from '../../lib/options.js'
import { REFUSED } from '../../lib/refuse.js'
import { EventFeed } from './feed.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What this process takes and refuses, as it happens; where `ingestion` and those who watch it meet. */
    eventFeed: EventFeed
  }
}

/** `app.eventFeed`. The ingestion plugin registers it where it is registered itself; for watchers around that scope, register it there. */
const eventFeed: FastifyPluginAsync = async (app, options) => {
  refuseUnknownOptions('eventFeed', options, {})
  const feed = new EventFeed(app.log)
  app.decorate('eventFeed', feed)
  subscribe(REFUSED, feed.onRefused)
  app.addHook('onClose', async () => { unsubscribe(REFUSED, feed.onRefused) })
}

export default fp(eventFeed, { name: 'gatehouse-event-feed', fastify: '5.x' })
export type { SourceCounts } from './counts.js'
export type { EventFeed, EventWatcher } from './feed.js'
export type { Refusal } from './refusal.js'
