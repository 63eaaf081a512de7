// Compares GET /api/generate-token with a bare Fastify route with a response of the same size. Each token is created,
// signed and audited; no token is cached.
import { CONNECTIONS, describeMachine, interleaved, SECONDS, startServer } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'

const VARIANTS = (process.env.VARIANTS ?? 'bare,no limits,limits,no audit').split(',')

async function round (variant: string, connections: number): Promise<Round> {
  const { port, stop } = await startServer(variant, {}, { file: 'widget-token-server.ts' })
  const load = (seconds: number): Promise<Round> =>
    shoot({ url: `http://127.0.0.1:${port}/api/generate-token`, headers: {}, connections, seconds })
  try {
    // Warm-up, because code is slow when it first runs.
    await load(2)
    return await load(SECONDS)
  } finally {
    stop()
  }
}

console.log(`${describeMachine()}\n`)
console.log(
  '| connections | server | tokens/s | of bare | p50 ms | p99 ms | failed |\n| ---: | --- | ---: | ---: | ---: | ' +
    '---: | ---: |'
)
for (const connections of CONNECTIONS) {
  const results = await interleaved(VARIANTS, (variant) => round(variant, connections))
  for (const [variant, { rate, p50, p99, failed }] of results) {
    const ratio = (rate / (results.get('bare')?.rate ?? NaN)).toFixed(2)
    console.log(`| ${[connections, variant, Math.round(rate), ratio, p50, p99, failed].join(' | ')} |`)
  }
}
