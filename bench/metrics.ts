// Measures what the metrics plugin costs: single events and batches of 100 into a sink in memory, with and without the
// plugin, in turns. The processor time of the server is less sensitive to other programs than the rate.
import { EVENT, PIPELINE_KEY, batchBody } from './load.js'
import { describeMachine, processorTime, ROUNDS, SECONDS, startServer } from './rounds.js'
import { shoot } from './wrk.js'

const VARIANTS = ['memory', 'memory metrics']
const CONNECTIONS = 64
const EVENTS = 100
const BODIES = { single: { path: '/v1/t', body: EVENT }, batch: { path: '/v1/batch', body: batchBody(EVENTS) } }

interface Result {
  rate: number
  /** Processor time of a request, in microseconds. */
  processor: number
  failed: number
}

async function round (variant: string, { path, body }: typeof BODIES['single']): Promise<Result> {
  const server = await startServer(variant)
  try {
    const load = (seconds: number) =>
      shoot({
        url: `http://127.0.0.1:${server.port}${path}`,
        headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
        body,
        connections: CONNECTIONS,
        seconds
      })
    await load(2)
    const before = processorTime(server)
    const { rate, failed } = await load(SECONDS)
    return { rate, processor: (processorTime(server) - before) * 1_000 / (rate * SECONDS), failed }
  } finally {
    server.stop()
  }
}

function median (values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

console.log(`${describeMachine()}, ${CONNECTIONS} connections\n`)
console.log('| requests | server | requests/s | processor time, µs | of memory | failed |')
console.log('| --- | --- | ---: | ---: | ---: | ---: |')
for (const [name, shot] of Object.entries(BODIES)) {
  const rounds = new Map<string, Result[]>(VARIANTS.map((variant) => [variant, []]))
  for (let at = 0; at < ROUNDS; at++) for (const [variant, results] of rounds) results.push(await round(variant, shot))
  let first: number | undefined
  for (const [variant, results] of rounds) {
    const processor = median(results.map((result) => result.processor))
    first ??= processor
    const rate = Math.round(median(results.map((result) => result.rate)))
    const failed = results.reduce((sum, result) => sum + result.failed, 0)
    console.log(`| ${[name, variant, rate, processor.toFixed(1), (processor / first).toFixed(3), failed].join(' | ')} |`)
  }
}
