// One table for all routes: processor time of the server per request, throughput and latency, each beside a bare
// Fastify route in the same run. Exits with 1 if a row fails or takes more processor time than the baseline says.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { describeHost, withPostgres } from '../rounds.js'
import { figuresOf, verdictOf } from './figures.js'
import type { Shooting as Round, Spread } from './figures.js'
import { Fleet } from './fleet.js'
import { measureInTurns } from './measure.js'
import { between, digits, line, positive } from './print.js'
import { GROUPS, nameOf } from './rows.js'
import type { Group, Row, Shooting } from './rows.js'

interface Baseline {
  machine: string
  rounds: number
  seconds: number
  /** Processor time of each row as a ratio to its bare route. */
  rows: Record<string, Spread>
}

const HELP = `npm run bench -- [options]
  --only <part>       rows whose name contains this string, such as "pixel" or "404, built-in"; may be repeated
  --rounds <number>   rounds; default 5
  --seconds <number>  duration of one measurement; default 2
  --profile <folder>  writes a processor profile of each server, which costs time: the figures are not comparable
  --list              prints the names of the rows
  --write-baseline    writes the measured rows into bench/baseline.json`
const BASELINE = new URL('../baseline.json', import.meta.url)

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    profile: { type: 'string' },
    list: { type: 'boolean' },
    'write-baseline': { type: 'boolean' },
    help: { type: 'boolean' }
  }
})
const [rounds, seconds] = [positive('rounds', values.rounds), positive('seconds', values.seconds)]

function chosen (group: Group): Row[] {
  return group.rows.filter((row) => values.only?.some((part) => nameOf(row, group).includes(part)) ?? true)
}

async function run (baseline: Baseline, fleet: Fleet): Promise<boolean> {
  let good = true
  line(['route', 'server', 'conn.', 'user µs', 'system µs', 'processor time, of bare', 'user time', 'requests/s',
    'of bare', 'p50 ms', 'p99 ms', 'baseline', 'verdict'])
  console.log('| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |')
  for (const group of GROUPS) {
    const rows = chosen(group)
    if (rows.length === 0) continue
    const settings = { ...group, rounds, seconds }
    const results = await measureInTurns(fleet, [group.bare, ...rows], settings).catch((error: unknown) => {
      console.error(error)
      good = false
      return new Map<Shooting, Round[]>()
    })
    const bare = results.get(group.bare) ?? []
    for (const [shooting, measured] of results) {
      const figures = figuresOf(measured, bare)
      const row = rows.find((other) => other === shooting)
      const name = row === undefined ? null : nameOf(row, group)
      const known = name === null ? undefined : baseline.rows[name]
      const verdict = verdictOf(figures, known)
      if (verdict === 'failed' || verdict === 'slower') good = false
      if (name !== null && verdict !== 'failed' && values['write-baseline'] === true) baseline.rows[name] = figures.ratio
      const { user, system, ratio, userRatio, rate, rateRatio, p50, p99, failed } = figures
      line([row?.route ?? group.base, shooting.server, group.connections, digits(user), digits(system),
        row === undefined ? '1' : between(ratio), userRatio.median.toFixed(2), Math.round(rate),
        rateRatio.median.toFixed(2), p50, p99, known?.median.toFixed(2) ?? '',
        verdict === 'failed' ? `failed: ${failed}` : row === undefined ? '' : verdict])
    }
  }
  return good
}

if (values.help === true) {
  console.log(HELP)
} else if (values.list === true) {
  for (const group of GROUPS) for (const row of group.rows) console.log(nameOf(row, group))
} else {
  await withPostgres(async (url) => {
    const fleet = new Fleet(url, { profiles: values.profile })
    const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
    console.log(`${describeHost()}, ${rounds} rounds of ${seconds} s\n`)
    process.exitCode = await run(baseline, fleet).finally(() => fleet.close()) ? 0 : 1
    if (values['write-baseline'] !== true) return
    const written = { ...baseline, machine: describeHost(), rounds, seconds }
    writeFileSync(BASELINE, `${JSON.stringify(written, null, 2)}\n`)
  })
}
