// The hot paths on a database with many rows, beside the same on an empty one, in turns.
import { figuresOf } from '../routes/figures.js'
import type { Shooting as Round } from '../routes/figures.js'
import type { Fleet } from '../routes/fleet.js'
import { measure, warmUp } from '../routes/measure.js'
import { between } from '../routes/print.js'
import * as requests from '../routes/requests.js'
import type { Group, Shooting } from '../routes/rows.js'

interface Path extends Shooting, Pick<Group, 'connections' | 'isBatch'> {
  name: string
}

const path = (name: string, request: Path['request'], server: Path['server'], connections = 64): Path =>
  ({ name, request, server, connections, isBatch: name === BATCH })
const BATCH = 'batch of 100'

export const PATHS: Path[] = [
  ...(['postgres', 'built-in'] as const).flatMap((server) => [
    path('single event', requests.event, server),
    path(BATCH, requests.batch, server),
    path('guest token, cached', requests.guestToken, server),
    path('widget token', requests.widgetToken, server),
    path('refresh', requests.refresh, server, 16)
  ]),
  path('admin guard', requests.admin('/internal'), 'postgres')
]

export interface HotOptions {
  rounds: number
  seconds: number
  paths: readonly Path[]
}

export async function * hotTable (
  empty: Fleet,
  full: Fleet,
  { rounds, seconds, paths }: HotOptions
): AsyncGenerator<string> {
  yield '| route | server | µs, empty | µs, full | processor time, full / empty | requests/s, full / empty | ' +
    'p99 ms, empty | p99 ms, full | failed |\n| --- | --- | ---: | ---: | --- | --- | ---: | ---: | ---: |'
  for (const path of paths) {
    const sides: Array<[Fleet, Round[]]> = [[empty, []], [full, []]]
    for (const [fleet] of sides) await warmUp(fleet, path, path)
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? sides : sides.toReversed()
      for (const [fleet, measured] of order) measured.push(await measure(fleet, path, path.connections, seconds))
    }
    const [[, before], [, after]] = sides as [[Fleet, Round[]], [Fleet, Round[]]]
    const [one, other] = [figuresOf(before, before), figuresOf(after, before)]
    yield `| ${
      [path.name, path.server, micros(one), micros(other), between(other.ratio), between(other.rateRatio),
        one.p99, other.p99, one.failed + other.failed].join(' | ')} |`
  }
}

const micros = ({ user, system }: { user: number, system: number }) => (user + system).toFixed(0)
