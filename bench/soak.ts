// Measures the memory of a server with PostgreSQL under an even load: MINUTES=10 RATE=15000.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import autocannon from 'autocannon'

import { EVENT, PIPELINE_KEY } from './load.js'
import { startServer, withPostgres } from './rounds.js'

const MINUTES = Number(process.env.MINUTES ?? 10)
const RATE = Number(process.env.RATE ?? 15_000)
/** Time in which the heap and the caches reach their final size. */
const WARM_UP = 60

async function megabytes (pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
}

await withPostgres(async (url) => {
  const server = await startServer('postgres', { DATABASE_URL: url })
  const load = autocannon({
    url: `http://127.0.0.1:${server.port}/v1/t`,
    method: 'POST',
    headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
    body: EVENT,
    connections: 64,
    overallRate: RATE,
    duration: WARM_UP + MINUTES * 60
  })
  const samples: number[] = []
  for (let seconds = 10; seconds < WARM_UP + MINUTES * 60; seconds += 10) {
    await sleep(10_000)
    if (seconds >= WARM_UP) samples.push(await megabytes(server.process.pid))
  }
  const { requests, non2xx, errors, latency } = await load
  server.stop()
  console.log(
    `${Math.round(requests.average)} events/s for ${MINUTES} min, p99 ${latency.p99} ms, ${non2xx + errors} failed`
  )
  console.log(
    `RSS after ${WARM_UP} s: ${samples[0]} MB, at the end: ${samples.at(-1)} MB, most: ${Math.max(...samples)} MB`
  )
})
