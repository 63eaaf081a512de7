// The time of an export, how much the memory of the server grows, and /healthz every 10 ms meanwhile.
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { Agent, request } from 'undici'

import type { Fleet, Target } from '../routes/fleet.js'
import { processorTime } from '../rounds.js'
import { download, signIn } from './download.js'

/** Lines of the small export before the measured one. */
const WARM_UP = 20_000
const LINE_BREAK = 10
const HEAD = `| format | events | events/s | MB | server µs per event | /healthz p50 ms | p99 ms | max ms | RSS before MB | growth |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`

interface Figures {
  bytes: number
  /** The lines of a body that is not compressed. */
  lines: number
  end: string
}

/** Returns a value of `/proc/<pid>/status` in megabytes. */
function memory ({ server: { process: { pid } } }: Target, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
}

async function read (target: Target, token: string, format: string, maxLines = Infinity): Promise<Figures> {
  const figures: Figures = { bytes: 0, lines: 0, end: '' }
  for await (const chunk of download({ url: target.url, token, format })) {
    figures.bytes += chunk.length
    if (format.includes(' ')) continue
    for (let at = chunk.indexOf(LINE_BREAK); at !== -1; at = chunk.indexOf(LINE_BREAK, at + 1)) figures.lines++
    figures.end = (figures.end + chunk.subarray(-200).toString('latin1')).slice(-200)
    if (figures.lines > maxLines) break
  }
  return figures
}

async function measure (target: Target, events: number, format: string): Promise<string> {
  const token = await signIn(target)
  await read(target, token, format.split(' ')[0] ?? '', WARM_UP)
  await sleep(2_000)
  const before = memory(target, 'VmRSS')
  // Resets the peak (proc(5)).
  writeFileSync(`/proc/${target.server.process.pid}/clear_refs`, '5')
  const [cpu, start] = [processorTime(target.server), performance.now()]
  const health = new Agent({ connections: 1 })
  const times: number[] = []
  const running = read(target, token, format)
  do {
    const sent = performance.now()
    await (await request(`${target.url}/healthz`, { dispatcher: health })).body.dump()
    times.push(performance.now() - sent)
  } while (await Promise.race([running.then(() => false), sleep(10, true)]))
  const { bytes, lines, end } = await running
  const seconds = (performance.now() - start) / 1_000
  if (format === 'ndjson' && !end.includes('"complete":true')) throw new Error(`the export ended early: ${end}`)
  if (lines !== 0 && lines < events * 0.99) throw new Error(`${lines} lines`)
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.ceil(times.length * share) - 1] ?? NaN).toFixed(1)
  await health.close()
  return [format, events, Math.round(events / seconds), Math.round(bytes / 1024 / 1024),
    ((processorTime(target.server) - cpu) * 1_000 / events).toFixed(1), at(0.5), at(0.99), at(1), before.toFixed(0),
    (memory(target, 'VmHWM') - before).toFixed(0)].join(' | ')
}

/** Measures each format on a new server that has sent a small export before. */
export async function * memoryTable (
  start: () => Fleet,
  events: number,
  formats: readonly string[]
): AsyncGenerator<string> {
  yield HEAD
  for (const format of formats) {
    const fleet = start()
    try {
      yield `| ${await measure(await fleet.get('built-in'), events, format)} |`
    } finally {
      await fleet.close()
    }
  }
}
