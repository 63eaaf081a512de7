import type { Socket } from 'node:net'

import type { FastifyInstance } from 'fastify'

import { plainAddress } from '../lib/http/client-address.js'

export interface SlowReaderOptions {
  /** Minimum number of bytes that a client must read within `within`. Default: 32 768. */
  least?: number
  /** Period of the check, in milliseconds. Default: 1.5 times the server's `requestTimeout`, or 45 000 without one. */
  within?: number
  /** Interval between checks, in milliseconds. Default: a sixth of `within`. */
  every?: number
}

/** Counters of a socket's handle; only they show the progress of a long response, which is a single write. */
interface Handle { readonly bytesWritten: number, readonly writeQueueSize: number }

interface Progress { taken: number, at: number }

/**
 * Cuts connections whose client reads too little of a waiting response. Node.js limits the time of requests and of
 * sockets without any traffic, but a client that reads one byte now and then would keep its response in memory.
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
        app.log.info(
          { remoteAddress: plainAddress(socket.remoteAddress), waiting: socket.writableLength },
          'connection cut: the client reads its response too slowly'
        )
        socket.resetAndDestroy()
      }
    }
  }
}

function takenOf (socket: Socket): number | null {
  const { _handle: handle } = socket as Socket & { _handle?: Handle | null }
  return handle === null || handle === undefined ? null : handle.bytesWritten - handle.writeQueueSize
}
