// Shared code of the servers under test: each is a separate process that reports its port and serves until it is
// killed.
import type { AddressInfo, Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import type { FastifyInstance } from 'fastify'

export async function listen (app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

export async function listening (server: Server): Promise<number> {
  if (!server.listening) await new Promise((resolve) => { server.once('listening', resolve) })
  return (server.address() as AddressInfo).port
}

/** Starts the variant that the first argument names. */
export async function serve (variants: Record<string, () => Promise<number>>): Promise<void> {
  const start = variants[process.argv[2] ?? '']
  if (start === undefined) throw new Error(`variants: ${Object.keys(variants).join(', ')}`)
  const port = await start()
  // Node.js writes the profile of `--cpu-prof` on a regular exit, but not if a signal ends the process.
  process.once('SIGTERM', () => process.exit())
  // Sooner or later the garbage collector takes from V8 what it learnt of code that was seldom run by then, and Node's
  // own HTTP server is slower ever after. A small server would get through a bench without: all of them start after it.
  for (let times = 0; times < 3; times++) {
    await sleep(50)
    globalThis.gc?.()
  }
  if (process.send === undefined) console.log(port)
  else process.send(port)
}
