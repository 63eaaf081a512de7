import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Reading {
  /** Bytes taken. */
  taken: number
  /** Milliseconds from the request to the end. */
  after: number
  /** Whether the server cut it off, rather than this client leaving. */
  cut: boolean
}

/**
 * Asks for a page, `times` in a row without waiting, and takes `bytes` of the answer each `pause` milliseconds, for
 * `limit` milliseconds at the most.
 */
export async function readSlowly (origin: string, path: string, { bytes, pause, limit, times = 1, headers = {} }: {
  bytes: number
  pause: number
  limit: number
  times?: number
  headers?: Readonly<Record<string, string>>
}): Promise<Reading> {
  const { hostname, port } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port) })
  const state = { over: false, taken: 0 }
  socket.on('error', () => {}).on('close', () => {
    state.over = true
  })
  await once(socket, 'connect')
  socket.pause()
  const start = performance.now()
  const lines = Object.entries({ Host: 'a', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`.repeat(times))
  while (!state.over && performance.now() - start < limit) {
    await sleep(pause)
    const chunk: Buffer | null = socket.read(bytes) ?? socket.read()
    if (chunk !== null) state.taken += chunk.length
    // Who does not read does not notice the end: who writes does, and before a request an empty line stands for
    // nothing.
    if (!socket.destroyed) socket.write('\r\n')
  }
  const after = Math.round(performance.now() - start)
  const cut = state.over
  socket.destroy()
  return { taken: state.taken, after, cut }
}
