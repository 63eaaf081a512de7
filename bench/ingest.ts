// POST /v1/t on each sink beside a bare Fastify route that parses the same body: interleaved rounds in one run, medians.
import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { once } from 'node:events'

import autocannon from 'autocannon'

import { EVENT, PIPELINE_KEY } from './load.js'

const ROUNDS = Number(process.env.ROUNDS ?? 5)
const SECONDS = Number(process.env.DURATION ?? 5)
const CONNECTIONS = (process.env.CONNECTIONS ?? '64').split(',').map(Number)
const VARIANTS = ['bare', 'noop', 'noop, limited', 'memory', 'pglite']

interface Round { rate: number, p50: number, p99: number, failed: number }

async function round (variant: string, connections: number): Promise<Round> {
  const server = fork(new URL('./server.ts', import.meta.url), [variant])
  try {
    const [port] = await once(server, 'message') as [number]
    const shoot = (duration: number) => autocannon({
      url: `http://127.0.0.1:${port}/v1/t`,
      method: 'POST',
      headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
      body: EVENT,
      connections,
      duration
    })
    await shoot(1)
    const { requests, latency, non2xx, errors } = await shoot(SECONDS)
    return { rate: requests.average, p50: latency.p50, p99: latency.p99, failed: non2xx + errors }
  } finally {
    server.kill('SIGKILL')
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, event of ${EVENT.length} bytes, median of ${ROUNDS} rounds of ${SECONDS} s\n`)
console.log('| connections | server | events/s | of bare | p50 ms | p99 ms | failed |\n| ---: | --- | ---: | ---: | ---: | ---: | ---: |')
for (const connections of CONNECTIONS) {
  const rounds = new Map<string, Round[]>(VARIANTS.map((variant) => [variant, []]))
  for (let at = 0; at < ROUNDS; at++) for (const [variant, results] of rounds) results.push(await round(variant, connections))
  const of = (variant: string, key: keyof Round) => median((rounds.get(variant) ?? []).map((result) => result[key]))
  for (const variant of VARIANTS) {
    const rate = of(variant, 'rate')
    const cells = [connections, variant, Math.round(rate), (rate / of('bare', 'rate')).toFixed(2), of(variant, 'p50'), of(variant, 'p99'), of(variant, 'failed')]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
