import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import type t from 'tap'

/** The ports of URLs that have none. */
const PORTS: Readonly<Record<string, number>> = { 'nats:': 4222, 'postgres:': 5432, 'postgresql:': 5432 }

export interface LeakyPipe {
  /** The URL of the server, through the pipe. */
  url: string
  /** Returns the number of accepted connections. */
  served(): number
  /** Lets nothing more pass on the connections that are open; later connections work. */
  clog(): void
  /** Closes the connections that are open. */
  cut(): void
}

/** Forwards TCP connections to the server of a URL until the test ends. */
export async function leakyPipe (test: Pick<typeof t, 'teardown'>, url: string): Promise<LeakyPipe> {
  const through = new URL(url)
  const { hostname, port, protocol } = through
  const sockets = new Set<Socket>()
  let served = 0
  const server = createServer((client) => {
    served++
    const upstream = connect(Number(port) || (PORTS[protocol] ?? 0), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  test.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: through.href,
    served: () => served,
    clog: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    }
  }
}
