// What POST /authorize adds to the Bold BI server's own time: the same requests straight to a server that takes some
// milliseconds, to it through the route, and through one that only passes them on. Few connections, as this is about
// the time of one call: UPSTREAM_MS=0,20 CONNECTIONS=1,8 DURATION=5 ROUNDS=5. With a server that answers at once, eight
// connections keep the processor busy without a break, and what is measured is how long they queue.
import { randomUUID } from 'node:crypto'

import { Client } from 'undici'

import { describeMachine, interleaved, SECONDS, startServer } from './rounds.js'
import type { Round, Server } from './rounds.js'

const UPSTREAM_MS = (process.env.UPSTREAM_MS ?? '0,20').split(',').map(Number)
const CONNECTIONS = (process.env.CONNECTIONS ?? '1,8').split(',').map(Number)

const started: Server[] = []

async function start (variant: string, argument: string): Promise<string> {
  const server = await startServer(variant, {}, { file: 'embed-authorize-server.ts', args: [argument] })
  started.push(server)
  return `http://127.0.0.1:${server.port}`
}

/** Returns the body that the SDK posts, with a new nonce. */
function bodyFor (apiUrl: string): string {
  const query =
    `embed_nonce=${randomUUID()}&embed_dashboard_id=c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff&embed_dashboard_ids=&embed_dashboard_path=&embed_dashboard_paths=` +
    `&pinboard_name=&embed_mode=view&embed_timestamp=${Math.floor(Date.now() / 1000)}&embed_expirationtime=86400`
  return JSON.stringify({ embedQuerString: query, embedQueryString: query, dashboardServerApiUrl: apiUrl })
}

/** Sends requests sequentially over each connection. */
async function load (target: string, apiUrl: string, connections: number, seconds: number): Promise<Round> {
  const times: number[] = []
  let failed = 0
  const end = performance.now() + seconds * 1_000
  await Promise.all(Array.from({ length: connections }, async () => {
    const client = new Client(target)
    while (performance.now() < end) {
      const body = bodyFor(apiUrl)
      const began = performance.now()
      const reply = await client.request({
        method: 'POST',
        path: '/authorize',
        headers: { 'content-type': 'application/json' },
        body
      })
      const text = await reply.body.text()
      times.push(performance.now() - began)
      if (reply.statusCode !== 200 || !text.includes('"ApiStatus":true')) failed++
    }
    await client.close()
  }))
  times.sort((one, other) => one - other)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? NaN
  return { rate: times.length / seconds, p50: at(0.5), p99: at(0.99), failed }
}

/** Measures the rows for one response time of the upstream server. */
async function compare (delay: number): Promise<void> {
  const upstream = await start('upstream', String(delay))
  const targets = { straight: upstream, hop: await start('hop', upstream), route: await start('route', upstream) }
  const apiUrl = `${upstream}/bi/api/site/site1`
  // Warm-up, because code is slow when it first runs.
  for (const target of Object.values(targets)) await load(target, apiUrl, 16, 2)
  for (const connections of CONNECTIONS) {
    const rounds = await interleaved(
      Object.keys(targets),
      (variant) => load(targets[variant as keyof typeof targets], apiUrl, connections, SECONDS)
    )
    const [straight, hop, route] = [rounds.get('straight'), rounds.get('hop'), rounds.get('route')]
    if (straight === undefined || hop === undefined || route === undefined) throw new Error('a variant is missing')
    const adds = [route.p50 - straight.p50, route.p50 - hop.p50]
    const figures = [straight.p50, hop.p50, route.p50, ...adds, straight.p99, hop.p99, route.p99].map((time) =>
      time.toFixed(2)
    )
    console.log(`| ${[delay, connections, ...figures, straight.failed + hop.failed + route.failed].join(' | ')} |`)
  }
}

const SERVERS = ['direct', 'bare hop', 'route']
const COLUMNS = [
  'server ms',
  'connections',
  ...SERVERS.map((name) => `${name} p50 ms`),
  'added ms',
  'added to a bare hop ms',
  ...SERVERS.map((name) => `${name} p99 ms`),
  'failed'
]
console.log(`${describeMachine()}\n\n| ${COLUMNS.join(' | ')} |\n|${' ---: |'.repeat(COLUMNS.length)}`)
try {
  for (const delay of UPSTREAM_MS) await compare(delay)
} finally {
  for (const server of started) server.stop()
}
