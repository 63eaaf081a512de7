import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Above what browsers and fetch refuse to call (10080 is the last), and below what systems give to outgoing
 * connections and to port 0
 * (Linux: 32768 and above, others: 49152 and above): nothing takes a port from here while a server that was started
 * on it is down.
 */
const [LOWEST, HIGHEST] = [10_100, 32_767]
/** Test files that run at the same time take theirs from parts of their own. */
const JOBS = 8
const PART = Math.floor((HIGHEST - LOWEST + 1) / JOBS)

const lowest = LOWEST + Number(process.env.TAP_JOB_ID ?? 0) % JOBS * PART
let next = Math.floor(Math.random() * PART)

/**
 * A port of 127.0.0.1 that a server can be started on, stopped, and started on again; never the same twice in a
 * process.
 */
export async function freePort (): Promise<number> {
  for (let tries = 0; tries < PART; tries++) {
    const port = lowest + next++ % PART
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${lowest} to ${lowest + PART - 1}`)
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(() => true, () => false)
  if (free) {
    await new Promise((resolve) => {
      server.close(resolve)
    })
  }
  return free
}
