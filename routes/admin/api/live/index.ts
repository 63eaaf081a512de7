import sse from '@fastify/sse'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../../../../lib/errors.js'
import type { EventFeed } from '../../../../plugins/event-feed/index.js'
import { liveEventsSchema } from '../../../../schemas/event-live.js'
import type { EventLiveQuery } from '../../../../schemas/event-live.js'
import { adminOf } from '../../admin-scope.js'
import { liveLimits } from './options.js'
import type { LiveOptions } from './options.js'
import { LiveView } from './live-view.js'
import { LiveViewer } from './viewer.js'
import { MAY } from '../../permissions.js'

type LiveRequest = FastifyRequest<{ Querystring: EventLiveQuery }>

const LIVE_PATH = '/events/live'

/** Events as they are accepted and refused, as Server-Sent Events. */
export async function liveRoute (scope: FastifyInstance, options: LiveOptions): Promise<void> {
  const limits = liveLimits(options)
  const view = new LiveView(limits, scope.server)
  // Two of its hooks around one route would close what the other keeps open.
  if (!scope.hasPlugin('@fastify/sse')) await scope.register(sse.default)
  scope.addHook('preClose', async () => view.close())

  scope.get<{ Querystring: EventLiveQuery }>(LIVE_PATH, {
    schema: liveEventsSchema,
    ...MAY.readEvents,
    exposeHeadRoute: false,
    // Its own goes on writing to a socket that nobody reads.
    sse: { heartbeat: false },
    // Whatever refuses must come before the handler, of which @fastify/sse makes an empty 200 when it throws.
    preHandler: function admitViewer (request, _reply, done) {
      feedOf(scope)
      view.assertRoom(adminOf(request))
      // Clients that name no type get the only one that there is.
      request.headers = { accept: 'text/event-stream' }
      done()
    }
  }, async function watchEvents (request, reply) {
    watch(request, reply)
  })

  function watch (request: LiveRequest, reply: FastifyReply): void {
    // From here on no time limit of the handler holds.
    reply.hijack()
    reply.sse.keepAlive()
    // It went away while it was let in, and will not say so again.
    if (reply.raw.destroyed) return
    reply.type('text/event-stream; charset=utf-8')
    // The end of the stream ends the connection: a server that closes would wait for one that is merely kept alive.
    reply.header('Connection', 'close')
    const { source_id: sourceId, type, outcome } = request.query
    view.join(adminOf(request), feedOf(scope), new LiveViewer(reply, { sourceId, type, outcome }, limits))
  }
}

function feedOf (scope: FastifyInstance): EventFeed {
  if (!scope.hasDecorator('eventFeed')) throw new NOT_FOUND({ message: 'This server takes no events that could be watched' })
  return scope.eventFeed
}
