// The most expensive request for each route of the built-in server, with and without credentials: processor time and
// for how long the event loop did nothing else. Exits with 1 if a request costs more than it may. PER_ROUTE=500 sends
// more requests to each route, SEED=2 others; ONLY=/v1/t tests one route.
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { Pool } from 'undici'

import { generateSecret } from '../signing/secret-strength/index.js'
import type { Cost } from './request-cost-server.js'
import { describeHost, startServer } from './rounds.js'
import { operationsOf, worstRequests } from './worst-requests.js'
import type { WorstRequest } from './worst-requests.js'

/** Maximum cost of one request, in milliseconds. */
const MOST: Cost = { processor: 100, blocked: 50 }
/** Requests over half of the limit are repeated, and the lowest time counts, to remove the noise of the machine. */
const TIMES = 5
const SHOWN = 10
const PER_ROUTE = Number(process.env.PER_ROUTE ?? 60)
const SEED = Number(process.env.SEED ?? 1)
const { ONLY } = process.env

type ReadyRequest = Omit<WorstRequest, 'body'> & { body: Buffer | null }
interface Result extends Cost {
  name: string
  status: number
}

const dataDir = await mkdtemp(join(tmpdir(), 'request-cost-'))
const proxyKey = generateSecret()
const password = generateSecret()
const many = '1000000'
const server = await startServer('built-in', {
  DATA_DIR: dataDir,
  LOG_LEVEL: 'silent',
  DATABRAIN_PROXY_KEY: proxyKey,
  ADMIN_PASSWORD: password,
  LOGIN_RATE_MAX: many,
  ADMIN_RATE_MAX: many,
  INGEST_KEY_RATE_MAX: '0',
  INGEST_IP_RATE_MAX: '0',
  EMBED_RATE_MAX: '0',
  NOT_FOUND_RATE_MAX: '0',
  PORT: '0'
}, { file: 'request-cost-server.ts' })
const pool = new Pool(`http://127.0.0.1:${server.port}`, { connections: 1, pipelining: 1, headersTimeout: 60_000 })

async function call (
  method: 'GET' | 'POST',
  path: string,
  headers: Record<string, string>,
  body?: object
): Promise<Record<string, unknown>> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await pool.request({
    method,
    path,
    headers: { ...headers, ...body === undefined ? {} : { 'content-type': 'application/json' } },
    ...json
  })
  const reply = await response.body.json() as Record<string, unknown>
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${JSON.stringify(reply)}`)
  return reply
}

/** Status of the response; 0 if the server closed the connection instead. */
async function send ({ method, path, headers, body }: ReadyRequest): Promise<number> {
  try {
    const response = await pool.request({ method: method as 'POST', path: encodeURI(decodeURI(path)), headers, body })
    // An endless stream, such as the live view, ends after its first bytes.
    if (String(response.headers['content-type']).startsWith('text/event-stream')) response.body.destroy()
    else await response.body.dump({ limit: 16 * 1024 * 1024 })
    return response.statusCode
  } catch {
    return 0
  }
}

async function costOf (request: ReadyRequest): Promise<Cost & { status: number }> {
  server.process.send('start')
  await once(server.process, 'message')
  const status = await send(request)
  server.process.send('end')
  const [cost] = await once(server.process, 'message') as [Cost]
  return { ...cost, status }
}

async function cheapest (request: ReadyRequest): Promise<Cost & { status: number }> {
  let best = await costOf(request)
  for (
    let times = 1; times < TIMES && (best.processor > MOST.processor / 2 || best.blocked > MOST.blocked / 2); times++
  ) {
    const again = await costOf(request)
    best = {
      status: again.status,
      processor: Math.min(best.processor, again.processor),
      blocked: Math.min(best.blocked, again.blocked)
    }
  }
  return best
}

const login = await call('POST', '/v1/admin/auth/login', {}, { email: 'admin@example.com', password })
const access = { authorization: `Bearer ${String(login.access_token)}` }
const source = await call('POST', '/v1/admin/sources', access, {
  name: 'Worst requests',
  domains: [],
  allow_any_origin: true
})
const pipelineKey = String(source.pipeline_key)
const credentials: Record<string, (body: Buffer | null) => Record<string, string>> = {
  adminAccess: () => access,
  proxyKey: () => ({ authorization: `Bearer ${proxyKey}` }),
  proxyAuthKey: () => ({ 'x-proxy-auth-key': proxyKey }),
  pipelineKey: () => ({ authorization: `Bearer ${pipelineKey}` }),
  signature: (body) => ({
    'x-datafly-signature': `sha256=${
      createHmac('sha256', String(source.server_secret)).update(body ?? '').digest('hex')
    }`
  })
}

const document = await call('GET', '/docs/json', {}) as unknown as Parameters<typeof operationsOf>[0]
const operations = operationsOf(document).filter(({ path }) => ONLY === undefined || path === ONLY)
const results: Result[] = []
for (const operation of operations) {
  const { method, path, security } = operation
  // These requests end sessions or delete items that other requests need.
  if (path.endsWith('/logout-all') || (path.endsWith('/auth/password') && ONLY === undefined)) continue
  const all = [...worstRequests(operation, { id: randomUUID(), wid: randomUUID() })]
  const [some = []] = fc.sample(
    fc.shuffledSubarray(all, { minLength: Math.min(PER_ROUTE, all.length), maxLength: PER_ROUTE }),
    { numRuns: 1, seed: SEED }
  )
  for (const lazy of some) {
    const request = { ...lazy, body: lazy.body?.() ?? null }
    const presented = Object.assign({}, ...security.map((name) => credentials[name]?.(request.body) ?? {})) as Record<
      string,
      string
    >
    const variants: Array<[string, Record<string, string>]> = [['without credentials', {}]]
    if (Object.keys(presented).length > 0) variants.push(['with credentials', presented])
    for (const [variant, headers] of variants) {
      const cost = await cheapest({ ...request, headers: { ...headers, ...request.headers } })
      results.push({ name: `${method} ${path} ${variant}: ${request.kind}`, ...cost })
    }
  }
  process.stderr.write(`${method} ${path}: ${results.length} requests\n`)
}

console.log(`${describeHost()}; ${results.length} requests on ${operations.length} routes\n`)
for (const by of ['processor', 'blocked'] as const) {
  console.log('| request | status | processor ms | event loop blocked ms |\n| --- | ---: | ---: | ---: |')
  for (const { name, status, processor, blocked } of results.toSorted((a, b) => b[by] - a[by]).slice(0, SHOWN)) {
    console.log(`| ${name} | ${status} | ${processor.toFixed(1)} | ${blocked.toFixed(1)} |`)
  }
  console.log()
}
const dear = results.filter(({ processor, blocked }) => processor > MOST.processor || blocked > MOST.blocked)
const broken = results.filter(({ status }) => status >= 500)
for (const { name, status } of broken) console.log(`${status}: ${name}`)
console.log(
  `${dear.length} requests cost more than ${MOST.processor} ms of processor time or blocked the event loop for more than ${MOST.blocked} ms`
)

server.stop()
await pool.destroy()
await rm(dataDir, { recursive: true, force: true })
process.exit(dear.length > 0 || broken.length > 0 ? 1 : 0)
