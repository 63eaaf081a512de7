// Measures POST /v1/batch with 100 events, durable in PostgreSQL: with and without deduplication and signatures.
import { signBody } from '../signing/datafly/body-signature.js'
import { PIPELINE_KEY, SERVER_SECRET, batchBody } from './load.js'
import { CONNECTIONS, describeMachine, interleaved, SECONDS, startServer, withPostgres } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'
import type { SignedBody } from './wrk.js'

const VARIANTS = (process.env.VARIANTS ?? 'postgres,postgres signed,postgres repeats kept').split(',')
const EVENTS = 100
/** Number of different bodies per second, created in advance; more than are sent. */
const BODIES = 1_500

async function round (variant: string, connections: number, url: string): Promise<Round> {
  const server = await startServer(variant.replace(' signed', ''), { DATABASE_URL: url })
  try {
    const load = (seconds: number) =>
      shoot({
        url: `http://127.0.0.1:${server.port}/v1/batch`,
        headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
        body: batches(BODIES * seconds, variant.endsWith(' signed')),
        connections,
        seconds
      })
    await load(2)
    const { rate, ...rest } = await load(SECONDS)
    return { rate: rate * EVENTS, ...rest }
  } finally {
    server.stop()
  }
}

function * batches (count: number, signed: boolean): Generator<SignedBody> {
  for (let left = count; left > 0; left--) {
    const body = batchBody(EVENTS)
    yield { body, signature: signed ? signBody(SERVER_SECRET, body) : '' }
  }
}

await withPostgres(async (url) => {
  console.log(`${describeMachine()}, batches of ${EVENTS} events, ${batchBody(EVENTS).length} bytes\n`)
  console.log(
    '| connections | server | events/s | of postgres | p50 ms | p99 ms | failed |\n| ---: | --- | ---: | ---: | ' +
      '---: | ---: | ---: |'
  )
  for (const connections of CONNECTIONS) {
    const results = await interleaved(VARIANTS, (variant) => round(variant, connections, url))
    const [first] = results.values()
    for (const [variant, { rate, p50, p99, failed }] of results) {
      console.log(
        `| ${
          [connections, variant, Math.round(rate), (rate / (first?.rate ?? NaN)).toFixed(2), p50, p99, failed].join(
            ' | '
          )
        } |`
      )
    }
  }
})
