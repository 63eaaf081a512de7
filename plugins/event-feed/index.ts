import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { CHANNELS } from '../../lib/channels.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import { EventFeed } from './feed.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The events that this process accepts and refuses, live: `ingestion` reports them, watchers receive them. */
    eventFeed: EventFeed
  }
}

/**
 * Decorates the app with `eventFeed`. The ingestion plugin registers it in its own scope; register it in an outer scope
 * to watch from there.
 */
const eventFeed: FastifyPluginAsync = async (app, options) => {
  refuseUnknownOptions('eventFeed', options, {})
  const feed = new EventFeed(app.log)
  app.decorate('eventFeed', feed)
  subscribe(CHANNELS.refused.name, feed.onRefused)
  app.addHook('onClose', async () => { unsubscribe(CHANNELS.refused.name, feed.onRefused) })
}

export default fp(eventFeed, { name: 'gatehouse-event-feed', fastify: '5.x' })
export type { SourceCounts } from './counts.js'
export type { EventFeed, EventWatcher } from './feed.js'
export type { Refusal } from './refusal.js'
