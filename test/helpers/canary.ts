import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import type { Test } from 'tap'

export interface Canary {
  port: number
  /** `http://127.0.0.1:<port>`: a place that nothing may ever call. */
  origin: string
  /** Connections so far: any is a forged request that got out. */
  connections(): number
}

/**
 * A listener on loopback, IPv4 and IPv6 where there is any, for which a connection is a failure: assert
 * `connections() === 0`.
 */
export async function canary (t: Test): Promise<Canary> {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, resolve)
  })
  const { port } = server.address() as AddressInfo
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return { port, origin: `http://127.0.0.1:${port}`, connections: () => connections }
}
