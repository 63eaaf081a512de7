// Compares GET /api/databrain/guest-token from the cache with the product's documented Express route, at an API time of
// 20 ms.
import { generateSecret } from '../signing/secret-strength/index.js'
import { signUserReference } from '../signing/user-reference.js'
import { CONNECTIONS, describeMachine, interleaved, SECONDS, startServer } from './rounds.js'
import type { Round } from './rounds.js'
import { shoot } from './wrk.js'

const VARIANTS = (process.env.VARIANTS ?? 'bare,cached,cached limited,uncached,express').split(',')
const PROXY_KEY = generateSecret()
const REFERENCE_KEY = generateSecret()
const REFERENCE = signUserReference({ sub: 'customer-42' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed' })

const start = (variant: string, upstream = '') =>
  startServer(variant, { PROXY_KEY, REFERENCE_KEY, UPSTREAM: upstream }, { file: 'guest-token-server.ts' })

async function round (variant: string, connections: number, upstream: string): Promise<Round> {
  const server = await start(variant, upstream)
  try {
    const load = (seconds: number) =>
      shoot({
        url: `http://127.0.0.1:${server.port}/api/databrain/guest-token?ref=${REFERENCE}`,
        headers: { authorization: `Bearer ${PROXY_KEY}` },
        connections,
        seconds
      })
    await load(2)
    return await load(SECONDS)
  } finally {
    server.stop()
  }
}

const upstream = await start('upstream')
try {
  console.log(`${describeMachine()}\n`)
  console.log(
    '| connections | server | tokens/s | of express | p50 ms | p99 ms | failed |\n| ---: | --- | ---: | ---: | ' +
      '---: | ---: | ---: |'
  )
  for (const connections of CONNECTIONS) {
    const results = await interleaved(
      VARIANTS,
      (variant) => round(variant, connections, `http://127.0.0.1:${upstream.port}`)
    )
    for (const [variant, { rate, p50, p99, failed }] of results) {
      const ofExpress = (rate / (results.get('express')?.rate ?? NaN)).toFixed(1)
      console.log(`| ${[connections, variant, Math.round(rate), ofExpress, p50, p99, failed].join(' | ')} |`)
    }
  }
} finally {
  upstream.stop()
}
