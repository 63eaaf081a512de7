// How long /healthz takes while the bodies that cost most arrive: DURATION=5 for each of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { EVENT, PIPELINE_KEY, batchBody } from './load.js'
import { describeHost, SECONDS, startServer } from './rounds.js'

interface Kind { name: string, path: string, body: string | Buffer, perSecond: number, gzip?: boolean }

const KB = 1024
const MB = KB * KB
const event = (fields: object) => JSON.stringify({ ...JSON.parse(EVENT) as object, ...fields })
const wide = (keys: number) => Object.fromEntries(Array.from({ length: keys }, (_none, at) => [`k${at}`, at]))

const KINDS: Kind[] = [
  { name: 'nothing', path: '/v1/t', body: '', perSecond: 0 },
  { name: 'arrays, 100 000 levels', path: '/v1/t', body: '['.repeat(100_000) + ']'.repeat(100_000), perSecond: 50 },
  { name: 'objects, 80 000 levels', path: '/v1/t', body: '{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000), perSecond: 50 },
  { name: '60 000 keys, 0.7 MB', path: '/v1/batch', body: JSON.stringify({ batch: [{ type: 'page', properties: wide(60_000) }] }), perSecond: 50 },
  { name: '30 000 keys, 0.3 MB', path: '/v1/t', body: event({ properties: wide(30_000) }), perSecond: 50 },
  { name: 'a time of 100 KB', path: '/v1/t', body: event({ timestamp: '2026-01-15T12:00:00.' + '0'.repeat(100 * KB) }), perSecond: 50 },
  { name: 'an id of 100 KB', path: '/v1/t', body: event({ messageId: '\\'.repeat(100 * KB) }), perSecond: 50 },
  { name: 'a URL of 60 KB', path: '/v1/t', body: event({ context: { page: { url: `https://shop.example.com/?${'utm_a=&'.repeat(8_500)}` } } }), perSecond: 50 },
  { name: 'a user agent of 60 KB', path: '/v1/t', body: event({ context: { userAgent: 'Mozilla/5.0 ('.repeat(4_600) } }), perSecond: 50 },
  { name: 'gzip of 100 MB, 0.1 MB', path: '/v1/t', body: gzipSync(Buffer.alloc(100 * MB, ' ')), perSecond: 50, gzip: true },
  { name: 'gzip of 5 MB of brackets, 5 KB', path: '/v1/batch', body: gzipSync(`{"batch":[${'[],'.repeat(1_600_000)}[]]}`), perSecond: 1, gzip: true },
  { name: '500 events of 10 KB, 5 MB', path: '/v1/batch', body: batchBody(500).replaceAll('Enamel mug', 'm'.repeat(9_500)), perSecond: 1 }
]

const server = await startServer('memory')
const origin = `http://127.0.0.1:${server.port}`

async function send ({ path, body, gzip = false }: Kind): Promise<number> {
  const response = await fetch(origin + path, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers: { authorization: `Bearer ${PIPELINE_KEY}`, 'content-type': 'application/json', ...gzip ? { 'content-encoding': 'gzip' } : {} }
  })
  await response.arrayBuffer()
  return response.status
}

async function ping (): Promise<number> {
  const start = performance.now()
  await (await fetch(`${origin}/healthz`)).text()
  return performance.now() - start
}

console.log(`${describeHost()}; ${SECONDS} s for each\n`)
console.log('| body | a second | answer | /healthz p50 ms | p99 ms | most ms |\n| --- | ---: | ---: | ---: | ---: | ---: |')
for (let times = 0; times < 50; times++) await ping()
for (const kind of KINDS) {
  const answers: Array<Promise<number>> = []
  const pings: Array<Promise<number>> = []
  const end = performance.now() + SECONDS * 1_000
  const sending = (async () => {
    while (kind.perSecond > 0 && performance.now() < end) {
      answers.push(send(kind))
      await sleep(1_000 / kind.perSecond)
    }
  })()
  while (performance.now() < end) {
    pings.push(ping())
    await sleep(10)
  }
  await sending
  const statuses = [...new Set(await Promise.all(answers))].join(', ')
  const times = (await Promise.all(pings)).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? NaN).toFixed(1)
  console.log(`| ${[kind.name, kind.perSecond, statuses, at(0.5), at(0.99), at(1)].join(' | ')} |`)
}
server.stop()
