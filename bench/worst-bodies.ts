// Measures the latency of /healthz while the most expensive bodies arrive, and the processor time of each body:
// DURATION=5 for each kind, ONLY=<part of a name>.
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { EVENT, PIPELINE_KEY, batchBody } from './load.js'
import { describeHost, processorTime, SECONDS, startServer } from './rounds.js'

interface Kind {
  name: string
  path: string
  body: string | Buffer
  perSecond: number
  gzip?: boolean
  keyless?: boolean
}

const KB = 1024
const MB = KB * KB
const event = (fields: object) => JSON.stringify({ ...JSON.parse(EVENT) as object, ...fields })
const wide = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_none, at) => [`k${at}`, at]))
/** Returns the JSON of the properties with that many keys. */
const members = (keys: number) => JSON.stringify(wide(keys)).slice(1, -1)
const page = '{"type":"page"}'
const ones = (bytes: number) => `[${'1,'.repeat(bytes / 2 - 1)}1]`

const BESIDE = `{"batch":[${page}],${members(310_000)}}`
const IN_CONTEXT = `{"batch":[${page}],"context":{${members(310_000)}}}`
const ONES = gzipSync(`{"batch":[${page}],"x":${ones(5 * MB - KB)}}`)
/** The maximum number of properties of a batch, all with different keys, in events of up to 64 KB. */
const DISTINCT = `{"batch":[${
  Array.from({ length: 7 }, (_none, event) => {
    return `{"type":"page",${
      Array.from({ length: 7_000 }, (_member, at) => `"${(event * 7_000 + at).toString(36)}":1`).join(',')
    }}`
  }).join(',')
}]}`
/** The same number in 500 events with equal keys. */
const ALIKE = JSON.stringify({ batch: Array.from({ length: 500 }, () => ({ type: 'page', properties: wide(95) })) })
/** 500 events, each with as many properties as fit into its share of 5 MB. */
const FULL = JSON.stringify({ batch: Array.from({ length: 500 }, () => ({ type: 'page', properties: wide(800) })) })

const KINDS: Kind[] = [
  { name: 'nothing', path: '/v1/t', body: '', perSecond: 0 },
  { name: 'arrays, 100 000 levels', path: '/v1/t', body: '['.repeat(100_000) + ']'.repeat(100_000), perSecond: 50 },
  {
    name: 'objects, 80 000 levels',
    path: '/v1/t',
    body: '{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000),
    perSecond: 50
  },
  {
    name: '60 000 keys, 0.7 MB',
    path: '/v1/batch',
    body: JSON.stringify({ batch: [{ type: 'page', properties: wide(60_000) }] }),
    perSecond: 50
  },
  { name: '30 000 keys, 0.3 MB', path: '/v1/t', body: event({ properties: wide(30_000) }), perSecond: 50 },
  {
    name: 'a time of 100 KB',
    path: '/v1/t',
    body: event({ timestamp: '2026-01-15T12:00:00.' + '0'.repeat(100 * KB) }),
    perSecond: 50
  },
  { name: 'an id of 100 KB', path: '/v1/t', body: event({ messageId: '\\'.repeat(100 * KB) }), perSecond: 50 },
  {
    name: 'a URL of 60 KB',
    path: '/v1/t',
    body: event({ context: { page: { url: `https://shop.example.com/?${'utm_a=&'.repeat(8_500)}` } } }),
    perSecond: 50
  },
  {
    name: 'a user agent of 60 KB',
    path: '/v1/t',
    body: event({ context: { userAgent: 'Mozilla/5.0 ('.repeat(4_600) } }),
    perSecond: 50
  },
  {
    name: 'gzip of 100 MB, 0.1 MB',
    path: '/v1/t',
    body: gzipSync(Buffer.alloc(100 * MB, ' ')),
    perSecond: 50,
    gzip: true
  },
  {
    name: 'gzip of 5 MB of brackets, 5 KB',
    path: '/v1/batch',
    body: gzipSync(`{"batch":[${'[],'.repeat(1_600_000)}[]]}`),
    perSecond: 1,
    gzip: true
  },
  { name: '310 000 keys beside the batch, 4.5 MB', path: '/v1/batch', body: BESIDE, perSecond: 1 },
  { name: 'the same without a pipeline key', path: '/v1/batch', body: BESIDE, perSecond: 10, keyless: true },
  { name: '310 000 keys in the context of the batch, 4.5 MB', path: '/v1/batch', body: IN_CONTEXT, perSecond: 1 },
  { name: 'gzip of 5 MB of [1,1,…], 5 KB', path: '/v1/batch', body: ONES, perSecond: 20, gzip: true },
  { name: 'the same without a pipeline key', path: '/v1/batch', body: ONES, perSecond: 20, gzip: true, keyless: true },
  {
    name: '64 KB of keys without a pipeline key',
    path: '/v1/t',
    body: `{${members(4_900)}}`,
    perSecond: 50,
    keyless: true
  },
  {
    name: '64 KB of [1,1,…] in an event',
    path: '/v1/t',
    body: event({ properties: { list: JSON.parse(ones(62 * KB)) as unknown } }),
    perSecond: 50
  },
  { name: '7 events of 7 000 keys, 0.4 MB', path: '/v1/batch', body: DISTINCT, perSecond: 5 },
  { name: '500 events of 95 keys, 0.5 MB', path: '/v1/batch', body: ALIKE, perSecond: 5 },
  { name: '500 events of 800 keys, 5 MB', path: '/v1/batch', body: FULL, perSecond: 1 },
  {
    name: '500 events of 10 KB, 5 MB',
    path: '/v1/batch',
    body: batchBody(500).replaceAll('Enamel mug', 'm'.repeat(9_500)),
    perSecond: 1
  }
]

const server = await startServer('memory')
const origin = `http://127.0.0.1:${server.port}`

async function send ({ path, body, gzip = false, keyless = false }: Kind): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    ...keyless ? {} : { authorization: `Bearer ${PIPELINE_KEY}` },
    ...gzip ? { 'content-encoding': 'gzip' } : {}
  }
  try {
    const response = await fetch(origin + path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers })
    await response.arrayBuffer()
    return String(response.status)
  } catch {
    return 'closed'
  }
}

async function ping (): Promise<number> {
  const start = performance.now()
  await (await fetch(`${origin}/healthz`)).text()
  return performance.now() - start
}

console.log(`${describeHost()}; ${SECONDS} s for each\n`)
console.log(
  '| body | bodies/s | status | /healthz p50 ms | p99 ms | max ms | processor ms per body |\n| --- | ---: | ---: | ' +
    '---: | ---: | ---: | ---: |'
)
for (let times = 0; times < 50; times++) await ping()
const ONLY = process.env.ONLY ?? ''
/** Processor time of the pings alone, in milliseconds; measured by the first kind. */
let idle = 0
for (const kind of KINDS.filter(({ name, perSecond }) => perSecond === 0 || name.includes(ONLY))) {
  const before = processorTime(server)
  const responses: Array<Promise<string>> = []
  const pings: Array<Promise<number>> = []
  const end = performance.now() + SECONDS * 1_000
  const sending = (async () => {
    while (kind.perSecond > 0 && performance.now() < end) {
      responses.push(send(kind))
      await sleep(1_000 / kind.perSecond)
    }
  })()
  while (performance.now() < end) {
    pings.push(ping())
    await sleep(10)
  }
  await sending
  const statuses = [...new Set(await Promise.all(responses))].join(', ')
  const times = (await Promise.all(pings)).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? NaN).toFixed(1)
  const spent = processorTime(server) - before
  if (kind.perSecond === 0) idle = spent
  const each = responses.length === 0 ? '' : (Math.max(0, spent - idle) / responses.length).toFixed(1)
  console.log(`| ${[kind.name, kind.perSecond, statuses, at(0.5), at(0.99), at(1), each].join(' | ')} |`)
}
server.stop()
