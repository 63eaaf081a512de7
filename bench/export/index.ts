// Exports all stored events of an organisation: npm run bench:export -- 5000000. Measures the time, how much the memory
// of the server grows, and /healthz every 10 ms meanwhile. FORMATS=ndjson,ndjson gzip,csv
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

import { describeHost, processorTime, startServer, withPostgres } from './rounds.js'
import type { Server } from './rounds.js'

const EVENTS = Number(process.argv[2] ?? 1_000_000)
const FORMATS = (process.env.FORMATS ?? 'ndjson,ndjson gzip,csv').split(',')
/** Events of the export before the measured one, in which the heap reaches its usual size. */
const WARM_UP = 100_000
const LINE_BREAK = 10

interface Figures {
  bytes: number
  /** The lines of a body that is not compressed. */
  lines: number
  end: string
}

/** Returns a value of `/proc/<pid>/status` in megabytes. */
function memory ({ process: { pid } }: Server, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
}

async function download (origin: string, token: string, format: string, maxLines = Infinity): Promise<Figures> {
  const [name, coding = 'identity'] = format.split(' ')
  const { body, statusCode } = await request(`${origin}/v1/admin/events/export?format=${name}`, {
    headers: { authorization: `Bearer ${token}`, 'accept-encoding': coding },
    bodyTimeout: 600_000,
    headersTimeout: 60_000
  })
  if (statusCode !== 200) throw new Error(`${statusCode}: ${await body.text()}`)
  const figures: Figures = { bytes: 0, lines: 0, end: '' }
  for await (const chunk of body as AsyncIterable<Buffer>) {
    figures.bytes += chunk.length
    if (coding !== 'identity') continue
    for (let at = chunk.indexOf(LINE_BREAK); at !== -1; at = chunk.indexOf(LINE_BREAK, at + 1)) figures.lines++
    figures.end = (figures.end + chunk.toString('latin1')).slice(-200)
    if (figures.lines > maxLines) break
  }
  return figures
}

async function measure (server: Server, origin: string, token: string, format: string): Promise<string> {
  await download(origin, token, format.split(' ')[0] ?? '', WARM_UP)
  await sleep(2_000)
  const before = memory(server, 'VmRSS')
  // Resets the peak (proc(5)).
  writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5')
  const [cpu, start] = [processorTime(server), performance.now()]
  const health = new Agent({ connections: 1 })
  const times: number[] = []
  const running = download(origin, token, format)
  do {
    const sent = performance.now()
    await (await request(`${origin}/healthz`, { dispatcher: health })).body.dump()
    times.push(performance.now() - sent)
  } while (await Promise.race([running.then(() => false), sleep(10, true)]))
  const { bytes, lines, end } = await running
  const seconds = (performance.now() - start) / 1_000
  if (format === 'ndjson' && !end.includes('"complete":true')) throw new Error(`the export ended early: ${end}`)
  if (lines !== 0 && lines < EVENTS * 0.99) throw new Error(`${lines} lines`)
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.ceil(times.length * share) - 1] ?? NaN).toFixed(1)
  await health.close()
  return [format, EVENTS, Math.round(EVENTS / seconds), Math.round(bytes / 1024 / 1024),
    ((processorTime(server) - cpu) * 1_000 / EVENTS).toFixed(1), at(0.5), at(0.99), at(1), before.toFixed(0),
    (memory(server, 'VmHWM') - before).toFixed(0)].join(' | ')
}

console.log(`${describeHost()}\n`)
await withPostgres(async (url) => {
  const env = { EVENTS: String(EVENTS), DATABASE_URL: url }
  const server = await startServer('postgres', env, { file: 'lists-server.ts' })
  const origin = `http://127.0.0.1:${server.port}`
  const token = await (await fetch(`${origin}/token`)).text()
  console.log('| format | events | events/s | MB | server µs per event | /healthz p50 ms | p99 ms | max ms | ' +
    'RSS before MB | growth |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const format of FORMATS) {
    console.log(`| ${await measure(server, origin, token, format)} |`)
  }
  server.stop()
})
