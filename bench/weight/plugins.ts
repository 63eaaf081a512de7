// Time and memory to import and register each plugin, in a fresh process each, above those of Fastify alone.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { spreadOf } from '../routes/figures.js'

interface Cost {
  /** Processor time of the process, in milliseconds. */
  processor: number
  elapsed: number
  /** Resident memory after a garbage collection, in megabytes. */
  memory: number
}

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('plugin.mjs', import.meta.url))

export async function pluginTable (rounds: number): Promise<string[]> {
  const { stdout } = await run(process.execPath, [PROGRAM, 'list'])
  const costs = new Map(stdout.trim().split('\n').map((name): [string, Cost[]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, measured] of costs) measured.push(await costOf(name))
  }
  const middle = (name: string, of: (cost: Cost) => number) => spreadOf((costs.get(name) ?? []).map(of)).median
  const cells = (name: string) => {
    const above = (of: (cost: Cost) => number) => middle(name, of) - middle('fastify', of)
    const columns = [above((cost) => cost.processor), above((cost) => cost.elapsed), above((cost) => cost.memory)]
    return [name, columns[0]?.toFixed(0), columns[1]?.toFixed(0), columns[2]?.toFixed(1)]
  }
  const fastify = ['fastify alone', ...[
    middle('fastify', (cost) => cost.processor),
    middle('fastify', (cost) => cost.elapsed),
    middle('fastify', (cost) => cost.memory)
  ].map((value) => value.toFixed(0))]
  const rows = [...costs.keys()].filter((name) => name !== 'fastify').map(cells)
  return [
    '| plugin | processor time, ms above fastify | elapsed, ms above | memory, MB above |',
    '| --- | ---: | ---: | ---: |',
    ...[fastify, ...rows].map((row) => `| ${row.join(' | ')} |`)
  ]
}

async function costOf (name: string): Promise<Cost> {
  const { stdout } = await run(process.execPath, ['--expose-gc', PROGRAM, name])
  return JSON.parse(stdout) as Cost
}
