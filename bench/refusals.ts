// The processor time of a refused request beside that of a bare 200, with refusals logged and not logged.
import { setTimeout as sleep } from 'node:timers/promises'

import { Pool } from 'undici'

import { describeHost, processorTime, ROUNDS, startServer } from './rounds.js'

const REQUESTS = Number(process.env.REQUESTS ?? 10_000)
const CALLERS = 32
const HEADERS = { authorization: 'Bearer an-unknown-proxy-key' }

async function send (pool: Pool, path: string): Promise<void> {
  let left = REQUESTS
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (left-- > 0) await (await pool.request({ path, method: 'GET', headers: HEADERS })).body.dump()
  }))
}

const servers = await Promise.all(['silent', 'info'].map(async (level) => {
  const server = await startServer(level, {}, { file: 'refusals-server.ts' })
  const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: 8, pipelining: 4 })
  return { level, server, pool, times: { '/open': [] as number[], '/guarded': [] as number[] } }
}))
const paths = ['/open', '/guarded'] as const
for (const { pool } of servers) for (const path of paths) await send(pool, path)
for (let round = 0; round < ROUNDS; round++) {
  for (const { server, pool, times } of servers) {
    for (const path of paths) {
      const before = processorTime(server)
      await send(pool, path)
      times[path].push((processorTime(server) - before) * 1_000 / REQUESTS)
      await sleep(50)
    }
  }
}

console.log(`${describeHost()}, median of ${ROUNDS} rounds of ${REQUESTS} requests (lowest to highest)\n`)
console.log('| log | 200, µs | 401, µs |\n| --- | ---: | ---: |')
for (const { level, server, pool, times } of servers) {
  const cells = paths.map((path) => {
    const sorted = times[path].sort((one, other) => one - other)
    const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(1)
    return `${at(0.5)} (${at(0)} to ${at(1)})`
  })
  console.log(`| ${[level, ...cells].join(' | ')} |`)
  await pool.close()
  server.stop()
}
