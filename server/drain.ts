import { Server } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is on its way down. */
    isDraining (): boolean
    /**
     * Stops in order: no new connections, requests in flight finish, then the app closes, which flushes the sink. Connections that
     * are still busy after `limit` milliseconds are cut. With a `delay` all of this begins that many milliseconds later, and until then
     * only `isDraining` has changed. Calling it again waits for the same end.
     */
    drain (limit: number, delay?: number): Promise<void>
  }
}

/** For how long an idle connection may still bring a request, which is answered and told to close: cutting it would race with that request. */
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
  // As late as this, so that a request which came before the stop says so too.
  app.addHook('onSend', function closeAfterwards (_request, reply, payload, done) {
    if (stopping !== null) reply.header('Connection', 'close')
    done(null, payload)
  })
}

async function stop (app: FastifyInstance, sockets: ReadonlySet<Socket>, limit: number, delay: number): Promise<void> {
  const { server } = app
  // The system resets connections that nobody has accepted yet when the port closes: a balancer must have stopped making them by then.
  if (server.listening) await sleep(delay)
  const start = performance.now()
  const state = { closed: !server.listening }
  server.once('close', () => { state.closed = true })
  // http.Server would cut idle connections at once; net.Server only stops listening.
  if (server.listening) Server.prototype.close.call(server)
  while (!state.closed && performance.now() - start < limit) {
    await sleep(PAUSE)
    if (performance.now() - start > LINGER) closeIdle(server, sockets)
  }
  if (!state.closed) app.log.warn('drain: cutting the connections that are still busy')
  server.closeAllConnections()
  await app.close()
}

/** For http.Server a connection over which nothing has come yet is a busy one; browsers keep such in reserve. */
function closeIdle (server: FastifyInstance['server'], sockets: ReadonlySet<Socket>): void {
  server.closeIdleConnections()
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
}

export default fp(drain, { name: 'gatehouse-drain', fastify: '5.x' })
