import { Server } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is stopping. */
    isDraining (): boolean
    /**
     * Stops gracefully: closes the port, waits for requests in flight, then closes the app, which flushes the sink.
     * After `limit` milliseconds, connections that are still busy are cut. With `delay`, the stop begins that many
     * milliseconds later, and until then only `isDraining` changes. Further calls return the same promise.
     */
    drain (limit: number, delay?: number): Promise<void>
  }
}

/**
 * Milliseconds in which an idle connection may still send a request, which is answered with `Connection: close`.
 * Closing it immediately would race with such a request.
 */
const LINGER = 1_000
const PAUSE = 25

const drain: FastifyPluginAsync = async (app) => {
  const sockets = new Set<Socket>()
  let stopping: Promise<void> | null = null

  app.decorate('isDraining', () => stopping !== null)
  app.decorate('drain', (limit: number, delay = 0) => (stopping ??= stop(app, sockets, limit, delay)))
  app.server.on('connection', function know (socket: Socket) {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  // onSend, so that requests that arrived before the stop also get the header.
  app.addHook('onSend', function closeAfterwards (_request, reply, payload, done) {
    if (stopping !== null) reply.header('Connection', 'close')
    done(null, payload)
  })
}

async function stop (app: FastifyInstance, sockets: ReadonlySet<Socket>, limit: number, delay: number): Promise<void> {
  const { server } = app
  // The system resets unaccepted connections when the port closes, so load balancers must stop connecting before that.
  if (server.listening) await sleep(delay)
  const start = performance.now()
  const state = { closed: !server.listening }
  server.once('close', () => { state.closed = true })
  // http.Server would close idle connections immediately; net.Server only stops listening.
  if (server.listening) Server.prototype.close.call(server)
  while (!state.closed && performance.now() - start < limit) {
    await sleep(PAUSE)
    if (performance.now() - start > LINGER) closeIdle(server, sockets)
  }
  if (!state.closed) app.log.warn('drain: cutting connections that are still busy')
  server.closeAllConnections()
  await app.close()
}

/** http.Server treats a connection without any data as busy; browsers keep such connections open in reserve. */
function closeIdle (server: FastifyInstance['server'], sockets: ReadonlySet<Socket>): void {
  server.closeIdleConnections()
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
}

export default fp(drain, { name: 'gatehouse-drain', fastify: '5.x' })
