// Sends LOGINS=200 parallel logins with a wrong password, at the full cost of argon2id, and requests /healthz every 10
// ms until all of them have a response. The server is a separate process with the memory store.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import { Agent, request } from 'undici'

import tokenStore from '../plugins/token-store/index.js'
import adminAuth from '../routes/admin/auth/index.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import { describeHost, startServer } from './rounds.js'

const LOGINS = Number(process.env.LOGINS ?? 200)
const ROUNDS = Number(process.env.ROUNDS ?? 5)

async function serve (): Promise<void> {
  const app = Fastify()
  await app.register(tokenStore, { sweepEvery: 0 })
  await app.register(adminAuth, { jwtSecrets: [generateSecret()], loginRateLimit: false })
  app.get('/healthz', () => 'ok')
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send?.((app.server.address() as { port: number }).port)
}

/** Returns a value of `/proc/<pid>/status` in megabytes. */
function memory (pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kilobytes = ''] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status) ?? []
  return Number(kilobytes) / 1024
}

async function flood (): Promise<void> {
  const server = await startServer('serve', {}, { file: 'login-flood.ts' })
  const origin = `http://127.0.0.1:${server.port}`
  const [logins, health] = [new Agent({ connections: LOGINS }), new Agent({ connections: 1 })]
  const pid = server.process.pid ?? 0

  async function login (at: number): Promise<number> {
    const { statusCode, body } = await request(`${origin}/v1/admin/auth/login`, {
      method: 'POST',
      dispatcher: logins,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: `user-${at}@example.com`, password: 'a password that is wrong' })
    })
    await body.dump()
    return statusCode
  }

  async function healthTime (): Promise<number> {
    const start = performance.now()
    await (await request(`${origin}/healthz`, { dispatcher: health })).body.dump()
    return performance.now() - start
  }

  for (let at = 0; at < 20; at++) await login(-at)
  for (let at = 0; at < 50; at++) await healthTime()
  const before = memory(pid, 'VmRSS')
  const times: number[] = []
  const statuses: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const all = Promise.all(Array.from({ length: LOGINS }, (_, at) => login(round * LOGINS + at)))
    do times.push(await healthTime())
    while (await Promise.race([all.then(() => false), sleep(10, true)]))
    statuses.push(...await all)
  }
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? NaN).toFixed(1)
  console.log(`${describeHost()}, ${ROUNDS} rounds of ${LOGINS} parallel logins\n`)
  console.log('| requests of /healthz | p50 ms | p99 ms | max ms | 401 | 503 | RSS before MB | peak MB |')
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
  const count = (status: number) => statuses.filter((one) => one === status).length
  console.log(`| ${
    [times.length, at(0.5), at(0.99), at(1), count(401), count(503), before.toFixed(0), memory(pid, 'VmHWM').toFixed(0)]
      .join(' | ')
  } |`)
  await Promise.all([logins.close(), health.close()])
  server.stop()
}

await (process.send === undefined ? flood() : serve())
