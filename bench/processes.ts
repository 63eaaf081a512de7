// Measures POST /v1/t, durable in one PostgreSQL, with one, two and four processes that share the connections.
import { EVENT, PIPELINE_KEY } from './load.js'
import { describeMachine, interleaved, SECONDS, startServer, withPostgres } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'

const PROCESSES = (process.env.PROCESSES ?? '1,2,4').split(',')
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 64)

async function round (variant: string, url: string): Promise<Round> {
  const count = variant === 'bare' ? 1 : Number(variant)
  const servers = await Promise.all(
    Array.from({ length: count }, () => startServer(variant === 'bare' ? 'bare' : 'postgres', { DATABASE_URL: url }))
  )
  try {
    const load = (seconds: number) =>
      Promise.all(servers.map(({ port }) =>
        shoot({
          url: `http://127.0.0.1:${port}/v1/t`,
          headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
          body: EVENT,
          connections: CONNECTIONS / count,
          seconds
        })
      ))
    await load(2)
    return together(await load(SECONDS))
  } finally {
    for (const server of servers) server.stop()
  }
}

function together (rounds: readonly Round[]): Round {
  const most = (of: (round: Round) => number) => Math.max(...rounds.map(of))
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0)
  return {
    rate: sum(({ rate }) => rate),
    p50: most(({ p50 }) => p50),
    p99: most(({ p99 }) => p99),
    failed: sum(({ failed }) => failed)
  }
}

await withPostgres(async (url) => {
  console.log(`${describeMachine()}, ${CONNECTIONS} connections in all, an event of ${EVENT.length} bytes\n`)
  console.log(
    '| processes | events/s | of bare | p50 ms | p99 ms | failed |\n| ---: | ---: | ---: | ---: | ---: | ---: |'
  )
  const results = await interleaved(['bare', ...PROCESSES], (variant) => round(variant, url))
  for (const [variant, { rate, p50, p99, failed }] of results) {
    console.log(
      `| ${
        [variant, Math.round(rate), (rate / (results.get('bare')?.rate ?? NaN)).toFixed(2), p50, p99, failed].join(
          ' | '
        )
      } |`
    )
  }
})
