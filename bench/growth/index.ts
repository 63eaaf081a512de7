// The suite on a database with many rows, beside an empty one in the same run.
import { parseArgs } from 'node:util'

import pg from 'pg'

import { openDatabase } from '../../lib/database/open-database.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import { Fleet } from '../routes/fleet.js'
import type { Start } from '../routes/fleet.js'
import { spreadOf } from '../routes/figures.js'
import { describeHost, withPostgres } from '../rounds.js'
import { fill, sizeOf } from './fill.js'
import { hotTable, PATHS } from './hot.js'
import { listTable } from './lists.js'
import { sizesOf } from './sizes.js'
import { sweepTable } from './sweeps.js'

const HELP = `npm run bench:growth -- [options]
  --events <number>   stored events; default 10000000
  --scale <number>    multiplies the number of all rows; default 1, such as 0.01 for a quick run
  --part <name>       starts, lists, sweeps or hot; may be repeated; default all
  --only <part>       hot paths whose name or server contains this string; may be repeated
  --rounds <number>   rounds of each hot path, and starts; default 5
  --seconds <number>  duration of one measurement of a hot path; default 2
  --times <number>    repeats of each list; default 20
  --database <url>    a PostgreSQL database that an earlier run has filled with the same numbers, or that is empty`
/** Constant, so that a later run can use the filled database. */
const SECRETS = {
  PROXY_KEY: 'the-proxy-key-of-a-bench-k7Qd-2mVx9_pLw4ZtR8yBn3H',
  REFERENCE_KEY: 'the-reference-key-of-a-bench-k7Qd-2mVx9_pLw4ZtR8yBn3H',
  JWT_SECRET: 'the-JWT-secret-of-a-bench-k7Qd-2mVx9_pLw4ZtR8yBn3H',
  SECRETS_KEY: 'the-secrets-key-of-a-bench-k7Qd-2mVx9_pLw4ZtR8yBn3H',
  ADMIN_PASSWORD: 'the-admin-of-a-bench-k7Qd-2mVx9_pLw4ZtR8yBn3H'
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    scale: { type: 'string', default: '1' },
    part: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    times: { type: 'string', default: '20' },
    database: { type: 'string' },
    help: { type: 'boolean' }
  }
})
const sizes = sizesOf(positive('events'), positive('scale'))
const rounds = positive('rounds')
const began = performance.now()

function positive (name: 'events' | 'scale' | 'rounds' | 'seconds' | 'times'): number {
  const number = Number(values[name])
  if (!(number > 0)) throw new Error(`--${name} must be a positive number`)
  return number
}

const includes = (part: string) => values.part?.includes(part) ?? true
const seconds = () => ((performance.now() - began) / 1_000).toFixed(0)
const shared = (url: string) => new Fleet(url, { shared: true, secrets: SECRETS })

/** Runs statements in a database. Resolves with the rows of the last one. */
async function query (url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: unknown[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

async function createDatabase (server: string, name: string): Promise<string> {
  await query(server, `drop database if exists ${name}`, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Starts the built-in server, and stops it. */
async function startOnce (url: string): Promise<Start> {
  const fleet = shared(url)
  try {
    const { start } = await fleet.get('built-in')
    if (start === undefined) throw new Error('The start was not measured')
    return start
  } finally {
    await fleet.close()
  }
}

async function * startTable (empty: string, full: string): AsyncGenerator<string> {
  const sides: Array<[name: string, url: string, starts: Start[]]> = [['empty', empty, []], ['full', full, []]]
  for (let round = 0; round < rounds; round++) for (const [, url, starts] of sides) starts.push(await startOnce(url))
  const middle = (starts: Start[], of: (start: Start) => number) => spreadOf(starts.map(of)).median.toFixed(0)
  yield '| start on a database | ready after ms | processor time, ms | memory, MB |\n| --- | ---: | ---: | ---: |'
  for (const [name, , starts] of sides) {
    yield `| ${
      [name, middle(starts, ({ elapsed }) => elapsed), middle(starts, ({ processor }) => processor),
        middle(starts, ({ memory }) => memory)].join(' | ')} |`
  }
}

/** Fills the database of a first start of the server, unless an earlier run has done so. */
async function prepare (url: string): Promise<void> {
  await startOnce(url)
  const known = await query(url, "select 1 from sources where name = 'Shop 1'") as unknown[]
  if (known.length === 0) {
    await fill(url, sizes, SECRETS.SECRETS_KEY, (step, time) => console.log(`${step}: ${time.toFixed(0)} s`))
  }
  const began = performance.now()
  await sweep(url)
  console.log(`indexes of past days: ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  const { total, tables } = await sizeOf(url)
  console.log(`\n${total.toFixed(2)} GB: ${tables}; filled after ${seconds()} s\n`)
}

/** Builds the indexes of past days and adds up counts, as the sweeps of a running server have done. */
async function sweep (url: string): Promise<void> {
  const database = await openDatabase({ url })
  const size = async () => (await sizeOf(url)).total
  try {
    const sink = await sqlSink(database)
    // A sweep builds indexes for 30 seconds at most.
    for (let before = -1, after = await size(); after > before; before = after, after = await size()) {
      await sink.sweep?.()
    }
    await sink.close()
  } finally {
    await database.close()
  }
}

async function print (lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) console.log(line)
  console.log(`\nafter ${seconds()} s\n`)
}

async function run (server: string): Promise<void> {
  console.log(`${describeHost()}\n${JSON.stringify(sizes)}\n`)
  const full = values.database ?? await createDatabase(server, 'growth_full')
  const empty = await createDatabase(server, 'growth_empty')
  await prepare(full)
  await startOnce(empty)
  if (includes('starts')) await print(startTable(empty, full))
  if (includes('lists')) {
    const fleet = shared(full)
    try {
      await print(listTable(await fleet.get('built-in'), sizes, positive('times')))
    } finally {
      await fleet.close()
    }
  }
  if (includes('sweeps')) await print(sweepTable(full, sizes, SECRETS.SECRETS_KEY))
  if (includes('hot')) {
    // The small app creates its source and its user at each start.
    await query(full, "delete from sources where org_id = 'bench'", "delete from users where email = 'lean@example.com'")
    const fleets = [shared(empty), shared(full)] as const
    const paths = PATHS.filter(({ name, server }) =>
      values.only?.some((part) => `${name}, ${server}`.includes(part)) ?? true)
    try {
      await print(hotTable(...fleets, { rounds, seconds: positive('seconds'), paths }))
    } finally {
      for (const fleet of fleets) await fleet.close()
    }
  }
  console.log(`${seconds()} s in all`)
}

if (values.help === true) console.log(HELP)
else if (values.database !== undefined) await run(values.database)
else await withPostgres(run)
