import sse from '@fastify/sse'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../../lib/errors.js'
import type { EventFeed } from '../../../../plugins/event-feed/index.js'
import { liveEventsSchema } from '../../../../schemas/event-live.js'
import type { EventLiveQuery } from '../../../../schemas/event-live.js'
import { callerOf } from '../../admin-scope.js'
import { liveLimits } from './options.js'
import type { LiveOptions } from './options.js'
import { LiveView } from './live-view.js'
import { LiveViewer } from './viewer.js'
import { PERMISSIONS } from '../../permissions.js'

type LiveRequest = FastifyRequest<{ Querystring: EventLiveQuery }>

const LIVE_PATH = '/events/live'

/** Registers the route that streams accepted and refused events as Server-Sent Events. */
export async function liveRoute (scope: FastifyInstance, options: LiveOptions): Promise<void> {
  const limits = liveLimits(options)
  const view = new LiveView(limits, scope.server)
  // Registered once: with two copies of its hooks, one would close the stream that the other keeps open.
  if (!scope.hasPlugin('@fastify/sse')) await scope.register(sse.default)
  scope.addHook('preClose', async () => view.close())

  scope.get<{ Querystring: EventLiveQuery }>(LIVE_PATH, {
    schema: liveEventsSchema,
    ...PERMISSIONS.readEvents,
    exposeHeadRoute: false,
    // The plugin's heartbeat keeps writing to a socket whose client does not read.
    sse: { heartbeat: false },
    // Checks run before the handler, because @fastify/sse turns an error of the handler into an empty 200.
    preHandler: function admitViewer (request, _reply, done) {
      feedOf(scope)
      view.assertCapacity(callerOf(request))
      // @fastify/sse needs this Accept header; the route has no other format.
      request.headers = { accept: 'text/event-stream' }
      done()
    }
  }, async function watchEvents (request, reply) {
    watch(request, reply)
  })

  function watch (request: LiveRequest, reply: FastifyReply): void {
    // Disables the handler timeout of Fastify for the stream.
    reply.hijack()
    reply.sse.keepAlive()
    // The client has already disconnected, so no close event follows.
    if (reply.raw.destroyed) return
    reply.type('text/event-stream; charset=utf-8')
    // Without keep-alive the connection ends with the stream, so that a closing server does not wait for it.
    reply.header('Connection', 'close')
    const { source_id: sourceId, type, outcome } = request.query
    view.join(callerOf(request), feedOf(scope), new LiveViewer(reply, { sourceId, type, outcome }, limits))
  }
}

function feedOf (scope: FastifyInstance): EventFeed {
  if (!scope.hasDecorator('eventFeed')) {
    throw new NOT_FOUND({ message: 'This server does not accept events, so there is no live view' })
  }
  return scope.eventFeed
}
