// Routes of the suite beside other packages that do the same work, in turns in one run. Exits with 1 if a response is
// not the expected one.
import { parseArgs } from 'node:util'

import { figuresOf } from '../routes/figures.js'
import { Fleet } from '../routes/fleet.js'
import { measureInTurns } from '../routes/measure.js'
import { between, digits, line, positive } from '../routes/print.js'
import { describeHost, withPostgres } from '../rounds.js'
import { startNginx } from './nginx.js'
import { withPackages } from './packages.js'
import { PAIRS } from './pairs.js'
import type { Pair } from './pairs.js'

const HELP = `npm run bench:peers -- [options]
  --only <part>       pairs whose name contains this string, such as "guest token"; may be repeated
  --rounds <number>   rounds; default 5
  --seconds <number>  duration of one measurement; default 1
  --profile <folder>  writes a processor profile of each server, which costs time: the figures are not comparable
  --list              prints the names of the pairs`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    profile: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean' }
  }
})
const turns = {
  rounds: positive('rounds', values.rounds),
  seconds: positive('seconds', values.seconds),
  warmUpSeconds: 8,
  isBatch: false
}
const pairs = PAIRS.filter(({ name }) => values.only?.some((part) => name.includes(part)) ?? true)
if (pairs.length === 0) throw new Error('--only matches no pair; --list prints their names')

/** Throws an error if a peer does other work than the suite, or fails. */
async function compare (fleet: Fleet, { name, ours, peers, connections }: Pair): Promise<void> {
  const results = await measureInTurns(fleet, [ours, ...peers], { ...turns, connections })
  const measured = results.get(ours) ?? []
  for (const [shooting, rounds] of results) {
    const { user, system, rate, p50, p99, failed } = figuresOf(rounds, rounds)
    if (failed > 0) throw new Error(`${name}: ${failed} requests to ${shooting.server} failed`)
    if (rounds.some(({ rate }) => rate === 0)) throw new Error(`${name}: no response of ${shooting.server} in a round`)
    const { ratio, rateRatio } = figuresOf(measured, rounds)
    const ratios = shooting === ours ? ['', ''] : [between(ratio), between(rateRatio)]
    line([name, shooting === ours ? '**gatehouse**' : shooting.server, digits(user), digits(system), ratios[0],
      Math.round(rate), ratios[1], p50, p99])
  }
}

async function run (fleet: Fleet): Promise<void> {
  console.log(`${describeHost()}, ${turns.rounds} rounds of ${turns.seconds} s\n`)
  line(['work', 'server', 'user µs', 'system µs', 'processor time, ours / peer', 'requests/s',
    'requests/s, ours / peer', 'p50 ms', 'p99 ms'])
  console.log('| --- | --- | ---: | ---: | --- | ---: | --- | ---: | ---: |')
  for (const pair of pairs) {
    await compare(fleet, pair).catch((error: unknown) => {
      console.error(error)
      process.exitCode = 1
    })
  }
}

if (values.help === true) {
  console.log(HELP)
} else if (values.list === true) {
  for (const { name } of pairs) console.log(name)
} else {
  await withPackages(pairs.flatMap(({ packages }) => packages), () => withPostgres(async (url) => {
    const fleet = new Fleet(url, { profiles: values.profile, others: { nginx: startNginx } })
    await run(fleet).finally(() => fleet.close())
  }))
}
