import type { Socket } from 'node:net'

import type { FastifyInstance } from 'fastify'

import { plainAddress } from '../lib/http/client-address.js'

export interface SlowReaderOptions {
  /** How much of an answer a client has to take, bytes. Default: 32 768. */
  least?: number
  /** Within how long, milliseconds. Default: half as long again as a request may take to arrive, or 45 000 where it may take any time. */
  within?: number
  /** How often that is looked at, milliseconds. Default: a sixth of that. */
  every?: number
}

/** What a socket's handle counts; it alone knows how far a long answer, which is one write, has got. */
interface Handle { readonly bytesWritten: number, readonly writeQueueSize: number }

interface Progress { taken: number, at: number }

/**
 * Cuts connections whose client takes next to nothing of an answer that waits for it. Node.js has time limits for what comes in, and one for sockets
 * on which nothing moves, which a byte now and then is enough to put off; until then the answer stays in memory.
 */
export function cutSlowReaders (app: FastifyInstance, options: SlowReaderOptions = {}): void {
  const { server } = app
  const sockets = new Map<Socket, Progress | null>()
  const { least = 32_768, within = server.requestTimeout * 1.5 || 45_000, every = Math.ceil(within / 6) } = options
  let timer: NodeJS.Timeout | undefined

  server.on('connection', function watch (socket) {
    sockets.set(socket, null)
    socket.once('close', () => sockets.delete(socket))
    timer ??= setInterval(look, every).unref()
  })
  app.addHook('onClose', async function endWatch () {
    clearInterval(timer)
  })

  function look (): void {
    const now = performance.now()
    for (const [socket, before] of sockets) {
      const taken = socket.writableLength === 0 ? null : takenOf(socket)
      if (taken === null) {
        if (before !== null) sockets.set(socket, null)
      } else if (before === null || taken - before.taken >= least) {
        sockets.set(socket, { taken, at: now })
      } else if (now - before.at >= within) {
        app.log.info({ remoteAddress: plainAddress(socket.remoteAddress), waiting: socket.writableLength }, 'cut off: the client takes too little of its answer')
        socket.resetAndDestroy()
      }
    }
  }
}

function takenOf (socket: Socket): number | null {
  const { _handle: handle } = socket as Socket & { _handle?: Handle | null }
  return handle === null || handle === undefined ? null : handle.bytesWritten - handle.writeQueueSize
}
