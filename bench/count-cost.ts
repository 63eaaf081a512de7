// Measures the cost of counting the stored events: processor time of PostgreSQL and of the process that writes, for
// each event, with and without the rows of counts, in turns in one run. ROUNDS=15 DURATION=2
// ONLY=0,2 (the numbers of the shapes)
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { sql } from 'kysely'

import { foldCounts } from '../lib/database/counts/fold.js'
import { openDatabase } from '../lib/database/open-database.js'
import type { Database } from '../lib/database/open-database.js'
import { sqlSink } from '../plugins/event-sink/sql/index.js'
import type { AcceptedEvent, EventSink } from '../plugins/event-sink/index.js'
import { EVENT } from './load.js'
import { describeHost, withPostgres } from './rounds.js'

interface Shape {
  title: string
  writers: number
  events: number
}
interface Side {
  database: Database
  sink: EventSink
  counts: boolean
}
interface Figures {
  server: number
  writer: number
  wal: number
}

const ROUNDS = Number(process.env.ROUNDS ?? 15)
const SECONDS = Number(process.env.DURATION ?? 2)
const SOURCES = 10
const ONLY = process.env.ONLY?.split(',').map(Number)
/** Clock ticks per second of `/proc/<pid>/stat`. */
const TICKS = 100
const SHAPES: readonly Shape[] = [
  { title: 'single events, 8 at a time', writers: 8, events: 1 },
  { title: 'single events, 64 at a time', writers: 64, events: 1 },
  { title: 'batches of 100, 16 at a time', writers: 16, events: 100 }
]

function event (source: number): AcceptedEvent {
  const now = Date.now()
  return {
    orgId: 'bench',
    sourceId: `source-${source}`,
    messageId: randomUUID(),
    type: 'track',
    authMethod: 'key',
    receivedAt: now,
    timestamp: now,
    ip: '203.0.113.9',
    userAgent: 'Mozilla/5.0',
    payload: EVENT,
    additions: '{"environment":"live"}',
    search: { event: 'e', userId: 'u', anonymousId: null }
  }
}

/** User and system time of the database's processes by id, seconds. */
async function databaseTimes ({ db }: Database): Promise<Map<number, number>> {
  const { rows } = await sql<{ pid: number }>`select pid from pg_stat_activity`.execute(db)
  const times = new Map<number, number>()
  for (const { pid } of rows) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      times.set(pid, (Number(fields[11]) + Number(fields[12])) / TICKS)
    } catch {} // The process has ended.
  }
  return times
}

async function walPosition ({ db }: Database): Promise<number> {
  const { rows: [row] } = await sql<{ bytes: string }>`
    select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as bytes`.execute(db)
  return Number(row?.bytes)
}

async function measure ({ database, sink, counts }: Side, { writers, events }: Shape): Promise<Figures> {
  const [before, wal] = [await databaseTimes(database), await walPosition(database)]
  const start = process.cpuUsage()
  const end = performance.now() + SECONDS * 1_000
  let written = 0
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    while (performance.now() < end) {
      await sink.write(Array.from({ length: events }, () => event(writer % SOURCES)))
      written += events
    }
  }))
  if (counts) await foldCounts(database)
  const { user, system } = process.cpuUsage(start)
  const after = await databaseTimes(database)
  let seconds = 0
  for (const [pid, time] of after) seconds += time - (before.get(pid) ?? 0)
  return {
    server: seconds * 1e6 / written,
    writer: (user + system) / written,
    wal: (await walPosition(database) - wal) / written
  }
}

function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

await withPostgres(async (url) => {
  const database = await openDatabase({ url })
  const { copy } = database
  if (copy === null) throw new Error('This PostgreSQL has no COPY')
  const bare: Database = { ...database, copy: (parts) => copy(parts.slice(0, 2)) }
  const sides: readonly Side[] = [
    { database, sink: await sqlSink(bare, { maxPending: 100_000 }), counts: false },
    { database, sink: await sqlSink(database, { maxPending: 100_000 }), counts: true }
  ]
  console.log(`${describeHost()}, ${ROUNDS} rounds of ${SECONDS} s, in turns\n`)
  console.log('| events | database µs without | with | ratio | writer µs without | with | WAL bytes without | with |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const [at, shape] of SHAPES.entries()) {
    if (ONLY?.includes(at) === false) continue
    const figures = new Map<Side, Figures[]>(sides.map((side) => [side, []]))
    for (let round = -1; round < ROUNDS; round++) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const result = await measure(side, shape)
        // The first round fills caches.
        if (round >= 0) figures.get(side)?.push(result)
      }
    }
    const [without = [], counted = []] = figures.values()
    const both = (name: keyof Figures) => [without, counted].map((list) => median(list.map((one) => one[name])))
    const ratio = median(counted.map(({ server }, round) => server / (without[round]?.server ?? NaN)))
    const [server, writer, wal] = [both('server'), both('writer'), both('wal')]
    console.log(`| ${[
      shape.title,
      ...server.map((value) => value.toFixed(1)),
      ratio.toFixed(3),
      ...writer.map((value) => value.toFixed(1)),
      ...wal.map(Math.round)
    ].join(' | ')} |`)
  }
  for (const { sink } of sides) await sink.close()
  await database.close()
})
