// The cost of lists on many stored events, for readers and for writers: EVENTS=1000000 PGLITE_EVENTS=200000
// REQUESTS=1000 RATE=300 DURATION=10 VIEWERS=20 PAUSE=600. ONLY=postgres or ONLY=pglite leaves the other one out.
import { setTimeout as sleep } from 'node:timers/promises'

import autocannon from 'autocannon'

import { EVENT, PIPELINE_KEY } from './load.js'
import { describeHost, startServer, withPostgres } from './rounds.js'
import type { Server } from './rounds.js'

const EVENTS = process.env.EVENTS ?? '1000000'
const PGLITE_EVENTS = process.env.PGLITE_EVENTS ?? '200000'
const REQUESTS = Number(process.env.REQUESTS ?? 1_000)
const RATE = Number(process.env.RATE ?? 300)
const DURATION = Number(process.env.DURATION ?? 10)
const VIEWERS = Number(process.env.VIEWERS ?? 20)
/** Milliseconds between two pages of a viewer; the default limit is 100 requests per minute. */
const PAUSE = Number(process.env.PAUSE ?? 600)
const DAY = 86_400_000
const LIMIT = 100

/** Returns a generator of the same numbers in each run. */
function * numbers (seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

class Requests {
  readonly #numbers: Generator<number, never>
  /** Received cursors, each with its query. */
  readonly #cursors: Array<[query: string, cursor: string]> = []

  constructor (seed: number) {
    this.#numbers = numbers(seed)
  }

  /** Returns a path with a filter and sometimes a cursor: of the same filter, of another filter, or invalid. */
  next (): string {
    if (this.#chance(0.1)) return `/v1/admin/audit-logs?${this.#audit()}`
    const query = this.#query()
    if (!this.#chance(0.5) || this.#cursors.length === 0) return `/v1/admin/events?${query}`
    const [listed, cursor] = this.#pick(this.#cursors)
    if (this.#chance(0.1)) return `/v1/admin/events?${listed}&cursor=${cursor.slice(0, -4)}AAAA`
    return `/v1/admin/events?${this.#chance(0.9) ? listed : query}&cursor=${cursor}`
  }

  record (path: string, cursor: string | null): void {
    const query = /^\/v1\/admin\/events\?(.*?)(?:&cursor=.*)?$/.exec(path)?.[1]
    if (query !== undefined && cursor !== null) this.#cursors.push([query, cursor])
  }

  #query (): string {
    const query = [`limit=${1 + Math.floor(this.#number() * LIMIT)}`]
    if (this.#chance(0.4)) {
      query.push(`source_id=${this.#pick(['source-1', 'source-7', 'source-13', 'source-19', 'no-such-source'])}`)
    }
    if (this.#chance(0.5)) query.push(`type=${this.#pick(['track', 'page', 'identify', 'group', 'screen', 'alias'])}`)
    if (this.#chance(0.3)) query.push(`from=${this.#time()}`)
    if (this.#chance(0.3)) query.push(`to=${this.#time()}`)
    return query.join('&')
  }

  #audit (): string {
    return [
      ...this.#chance(0.5) ? [`action=${this.#pick(['source.updated', 'guest_token.minted', 'auth.login'])}`] : [],
      ...this.#chance(0.5) ? [`user_id=${this.#pick(['u1', 'u499', 'nobody'])}`] : [],
      ...this.#chance(0.3) ? ['resource_type=nothing'] : []
    ].join('&')
  }

  /** A time in the last 40 days, half of which have no events. */
  #time (): string {
    return new Date(Date.now() - this.#number() * 40 * DAY).toISOString()
  }

  #pick<Item> (items: readonly Item[]): Item {
    return items[Math.floor(this.#number() * items.length)] as Item
  }

  #chance (share: number): boolean {
    return this.#number() < share
  }

  #number (): number {
    return this.#numbers.next().value
  }
}

interface Client {
  get(path: string): Promise<Response>
  statements(): Promise<number>
  origin: string
}

async function clientOf ({ port }: Server): Promise<Client> {
  const origin = `http://127.0.0.1:${port}`
  const authorization = `Bearer ${await (await fetch(`${origin}/token`)).text()}`
  return {
    origin,
    get: (path) => fetch(origin + path, { headers: { authorization } }),
    statements: async () => Number(await (await fetch(`${origin}/statements`)).text())
  }
}

function quantiles (times: number[]): string[] {
  times.sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => (times[Math.floor((times.length - 1) * share)] ?? NaN).toFixed(1))
}

/** Sends requests sequentially. */
async function lists (name: string, events: string, client: Client): Promise<void> {
  const requests = new Requests(1)
  const times: number[] = []
  let most = 0
  let slowest = ['', 0] as [string, number]
  for (let at = -50; at < REQUESTS; at++) {
    const path = requests.next()
    const before = await client.statements()
    const start = performance.now()
    const response = await client.get(path)
    const reply = await response.json() as { next_cursor?: string | null }
    const time = performance.now() - start
    if (response.status !== 200 && response.status !== 400) throw new Error(`${path} is ${response.status}`)
    requests.record(path, reply.next_cursor ?? null)
    // Warm-up: compiles code and loads database pages into memory.
    if (at < 0) continue
    times.push(time)
    most = Math.max(most, await client.statements() - before)
    if (time > slowest[1]) slowest = [path.replace(/cursor=.*/, 'cursor=…'), time]
  }
  console.log(`| ${[name, events, ...quantiles(times), most].join(' | ')} |`)
  if (process.env.VERBOSE !== undefined) console.log(slowest)
}

/** Measures the latency of single events at an even rate while viewers list page after page. */
async function ingestion (name: string, client: Client, viewers: number): Promise<void> {
  const stop = new AbortController()
  let pages = 0
  async function view (seed: number): Promise<void> {
    const requests = new Requests(seed)
    while (!stop.signal.aborted) {
      const path = requests.next()
      const response = await client.get(path)
      const { next_cursor: cursor = null } = await response.json() as { next_cursor?: string | null }
      requests.record(path, cursor)
      pages++
      await sleep(PAUSE)
    }
  }
  const viewing = Array.from({ length: viewers }, (_, at) => view(at + 2))
  const { latency, requests, non2xx, errors } = await autocannon({
    url: `${client.origin}/v1/t`,
    method: 'POST',
    headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json' },
    body: EVENT,
    connections: 16,
    overallRate: RATE,
    duration: DURATION
  })
  stop.abort()
  await Promise.all(viewing)
  console.log(
    `| ${
      [name, viewers, Math.round(requests.average), latency.p50, latency.p99, latency.max, Math.round(pages / DURATION),
        non2xx + errors].join(' | ')
    } |`
  )
}

console.log(`${describeHost()}\n`)
await withPostgres(async (url) => {
  const servers: Array<[name: string, events: string, server: Server]> = []
  if (process.env.ONLY !== 'postgres') {
    servers.push(['pglite', PGLITE_EVENTS,
      await startServer('pglite', { EVENTS: PGLITE_EVENTS }, { file: 'lists-server.ts' })])
  }
  if (process.env.ONLY !== 'pglite') {
    servers.push(['postgres', EVENTS,
      await startServer('postgres', { EVENTS, DATABASE_URL: url }, { file: 'lists-server.ts' })])
  }
  console.log(
    '| lists of | events | p50 ms | p99 ms | max ms | max statements |\n| --- | ---: | ---: | ---: | ---: | ---: |'
  )
  for (const [name, events, server] of servers) await lists(name, events, await clientOf(server))
  console.log(
    '\n| ingestion on | viewers | events/s | p50 ms | p99 ms | max ms | pages/s | failed |\n| --- | ---: | ---: | ' +
      '---: | ---: | ---: | ---: | ---: |'
  )
  for (const [name, , server] of servers) {
    const client = await clientOf(server)
    for (const viewers of [0, VIEWERS]) await ingestion(name, client, viewers)
  }
  for (const [, , server] of servers) server.stop()
})
