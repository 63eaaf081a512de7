// Compares POST /v1/t on each sink with a bare Fastify route that parses the same body and a hand-written Express
// route.
import { EVENT, PIPELINE_KEY } from './load.js'
import { CONNECTIONS, describeMachine, interleaved, SECONDS, startServer, withPostgres } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'

const VARIANTS = (process.env.VARIANTS ?? 'bare,noop,memory,memory limited,pglite,postgres,express').split(',')

async function round (variant: string, connections: number, url: string): Promise<Round> {
  const server = await startServer(variant, { DATABASE_URL: url })
  try {
    const load = (seconds: number) =>
      shoot({
        url: `http://127.0.0.1:${server.port}/v1/t`,
        headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
        body: EVENT,
        connections,
        seconds
      })
    await load(2)
    return await load(SECONDS)
  } finally {
    server.stop()
  }
}

await withPostgres(async (url) => {
  console.log(`${describeMachine()}, an event of ${EVENT.length} bytes\n`)
  console.log(
    '| connections | server | events/s | of bare | p50 ms | p99 ms | failed |\n| ---: | --- | ---: | ---: | ---: | ' +
      '---: | ---: |'
  )
  for (const connections of CONNECTIONS) {
    const results = await interleaved(VARIANTS, (variant) => round(variant, connections, url))
    for (const [variant, { rate, p50, p99, failed }] of results) {
      const ratio = (rate / (results.get('bare')?.rate ?? NaN)).toFixed(2)
      console.log(`| ${[connections, variant, Math.round(rate), ratio, p50, p99, failed].join(' | ')} |`)
    }
  }
})
