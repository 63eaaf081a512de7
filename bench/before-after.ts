// Compares the hot paths of this checkout and another one, alternately in one run.
// BEFORE=<folder of the other checkout with its node_modules>. WITH_METRICS=1 registers the metrics plugin in this
// checkout, where the server has such a variant. ONLY=<part of a title>,<part of another>
// Compares processor time per request (user and system, from the kernel), which is less noisy than throughput.
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { generateSecret } from '../signing/secret-strength/index.js'
import { signUserReference } from '../signing/user-reference.js'
import { EVENT, PIPELINE_KEY, batchBody, newBatches } from './load.js'
import { describeMachine, processorTime, ROUNDS, SECONDS, startServer, withPostgres } from './rounds.js'
import { shoot } from './wrk.js'
import type { Shot } from './wrk.js'

interface Path {
  title: string
  file: string
  variant: string
  env?: Record<string, string>
  shot: Pick<Shot, 'headers' | 'body'> & {
    path: string
    /** Creates the Lua of `Shot` for one round. */
    newLua?: () => string
  }
}
/** A checkout with a separate database server: an older checkout refuses the migrations of a newer one. */
interface Side {
  checkout: string
  databaseUrl: string
  measured: boolean
}
interface Figures {
  rate: number
  micros: number
  failed: number
}

const BEFORE = process.env.BEFORE
const HERE = resolve(fileURLToPath(new URL('..', import.meta.url)))
const PROXY_KEY = generateSecret()
const REFERENCE_KEY = generateSecret()

if (BEFORE === undefined) {
  throw new Error('Set BEFORE to the folder of the checkout to compare with; run `npm ci` there first.')
}

const json = { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' }
const reference = signUserReference({ sub: 'customer-42' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed' })

function paths (upstream: string): Path[] {
  const event = { path: '/v1/t', headers: json, body: EVENT }
  return [
    { title: 'bare event', file: 'server.ts', variant: 'bare', shot: event },
    { title: 'single event, no sink', file: 'server.ts', variant: 'noop', shot: event },
    { title: 'single event, memory', file: 'server.ts', variant: 'memory', shot: event },
    { title: 'single event, PostgreSQL', file: 'server.ts', variant: 'postgres', shot: event },
    {
      title: 'batch of 100, no sink',
      file: 'server.ts',
      variant: 'noop',
      shot: { path: '/v1/batch', headers: json, body: batchBody(100) }
    },
    {
      title: 'batch of 100 new events, PostgreSQL',
      file: 'server.ts',
      variant: 'postgres',
      shot: { path: '/v1/batch', headers: json, newLua: () => newBatches(100) }
    },
    {
      title: 'batch of 100 repeated events, PostgreSQL',
      file: 'server.ts',
      variant: 'postgres',
      shot: { path: '/v1/batch', headers: json, body: batchBody(100) }
    },
    {
      title: 'guest token, cached',
      file: 'guest-token-server.ts',
      variant: 'cached',
      env: { PROXY_KEY, REFERENCE_KEY, UPSTREAM: upstream },
      shot: { path: `/api/databrain/guest-token?ref=${reference}`, headers: { authorization: `Bearer ${PROXY_KEY}` } }
    },
    {
      title: 'widget token',
      file: 'widget-token-server.ts',
      variant: 'no limits',
      shot: { path: '/api/generate-token', headers: {} }
    }
  ]
}

async function measure (
  { checkout, databaseUrl, measured }: Side,
  { file, variant, env, shot: { path, newLua, ...shot } }: Path
): Promise<Figures> {
  const name = measured && ['noop', 'postgres'].includes(variant) ? `${variant} metrics` : variant
  const server = await startServer(name, { DATABASE_URL: databaseUrl, ...env }, {
    file: pathToFileURL(resolve(checkout, 'bench', file)).href,
    cwd: checkout
  })
  try {
    const load = (seconds: number) =>
      shoot({ url: `http://127.0.0.1:${server.port}${path}`, ...shot, lua: newLua?.(), connections: 64, seconds })
    await load(2)
    const before = processorTime(server)
    const { rate, failed } = await load(SECONDS)
    return { rate, micros: (processorTime(server) - before) * 1_000 / (rate * SECONDS), failed }
  } finally {
    server.stop()
  }
}

function spread (values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [low = NaN, middle = NaN, high = NaN] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
  return `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
}

await withPostgres((older) =>
  withPostgres(async (newer) => {
    const measured = process.env.WITH_METRICS === '1'
    const sides = {
      before: { checkout: BEFORE, databaseUrl: older, measured: false },
      after: { checkout: HERE, databaseUrl: newer, measured }
    }
    const api = await startServer('upstream', {}, { file: 'guest-token-server.ts' })
    const ONLY = process.env.ONLY?.split(',')
    try {
      console.log(`${describeMachine()}, 64 connections, in turns\n`)
      console.log(
        '| request | processor time, after / before | µs before | µs after | requests/s, after / before | failed |'
      )
      console.log('| --- | --- | ---: | ---: | --- | ---: |')
      for (const path of paths(`http://127.0.0.1:${api.port}`)) {
        if (ONLY !== undefined && !ONLY.some((part) => path.title.includes(part))) continue
        const rounds: Array<[Figures, Figures]> = []
        for (let at = 0; at < ROUNDS; at++) {
          // The order changes each round, so that neither checkout always has the warmer machine.
          const first = await measure(at % 2 === 0 ? sides.before : sides.after, path)
          const second = await measure(at % 2 === 0 ? sides.after : sides.before, path)
          rounds.push(at % 2 === 0 ? [first, second] : [second, first])
        }
        const middle = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]?.toFixed(1)
        console.log(`| ${
          [
            path.title,
            spread(rounds.map(([before, after]) => after.micros / before.micros)),
            middle(rounds.map(([before]) => before.micros)),
            middle(rounds.map(([, after]) => after.micros)),
            spread(rounds.map(([before, after]) => after.rate / before.rate)),
            rounds.reduce((sum, [before, after]) => sum + before.failed + after.failed, 0)
          ].join(' | ')
        } |`)
      }
    } finally {
      api.stop()
    }
  })
)
