// Compares JetStream and PostgreSQL as the sink: single events, and batches of 100.
import { EVENT, PIPELINE_KEY, batchBody } from './load.js'
import { CONNECTIONS, describeMachine, interleaved, SECONDS, startServer, withNats, withPostgres } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'
import type { Shot } from './wrk.js'

const VARIANTS = (process.env.VARIANTS ?? 'bare,postgres,jetstream,jetstream packed').split(',')
const EVENTS = 100
/** Number of different bodies per second, created in advance; more than are sent. */
const BODIES = 1_500

interface Load {
  path: string
  events: number
  body: (seconds: number) => Shot['body']
}

const loads: Load[] = [
  { path: '/v1/t', events: 1, body: () => EVENT },
  { path: '/v1/batch', events: EVENTS, body: (seconds) => batches(BODIES * seconds) }
]

function * batches (count: number) {
  for (let left = count; left > 0; left--) yield { body: batchBody(EVENTS), signature: '' }
}

async function round (
  variant: string,
  { path, events, body }: Load,
  connections: number,
  addresses: Record<string, string>
): Promise<Round> {
  const server = await startServer(variant, addresses)
  try {
    const load = (seconds: number) =>
      shoot({
        url: `http://127.0.0.1:${server.port}${path}`,
        headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
        body: body(seconds),
        connections,
        seconds
      })
    await load(2)
    const { rate, ...rest } = await load(SECONDS)
    return { rate: rate * events, ...rest }
  } finally {
    server.stop()
  }
}

await withPostgres((database) =>
  withNats(async (broker) => {
    console.log(`${describeMachine()}, an event of ${EVENT.length} bytes\n`)
    console.log(
      '| events a request | connections | server | events/s | of postgres | p50 ms | p99 ms | failed |\n| ---: | ' +
        '---: | --- | ---: | ---: | ---: | ---: | ---: |'
    )
    for (const load of loads) {
      // `bare` only parses one event.
      const variants = VARIANTS.filter((variant) => load.events === 1 || variant !== 'bare')
      for (const connections of CONNECTIONS) {
        const results = await interleaved(variants, (variant) =>
          round(variant, load, connections, { DATABASE_URL: database, NATS_URL: broker }))
        for (const [variant, { rate, p50, p99, failed }] of results) {
          const ofPostgres = (rate / (results.get('postgres')?.rate ?? NaN)).toFixed(2)
          console.log(
            `| ${[load.events, connections, variant, Math.round(rate), ofPostgres, p50, p99, failed].join(' | ')} |`
          )
        }
      }
    }
  })
)
