// Compares what ways to find an event by its ids cost its insert: processor time of the PostgreSQL backend and WAL for
// each event, in turns in one run. ROUNDS=10 BATCHES=20 ONLY=0,3 (the numbers of the ways).
import { hash, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

import pg from 'pg'

import { CopyRows } from '../lib/database/copy-rows.js'
import { migrations } from '../lib/database/migrations/index.js'
import { openDatabase } from '../lib/database/open-database.js'
import { copyIn } from '../lib/database/postgres/copy.js'
import { EVENT } from './load.js'
import { describeHost, withPostgres } from './rounds.js'

interface Way {
  title: string
  ddl: readonly string[]
  /** Whether the events have keys. */
  hasKeys: boolean
}
interface Side extends Way {
  client: pg.Client
  pid: number
  micros: number[]
  wal: number[]
}

const ROUNDS = Number(process.env.ROUNDS ?? 10)
const BATCHES = Number(process.env.BATCHES ?? 20)
const BATCH = 1_000
/** Clock ticks per second of `/proc/<pid>/stat`. */
const TICKS = 100
const BEFORE = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '015'))
const KEYS = ['message_key', 'event_key', 'user_key', 'anonymous_key']
const COLUMNS = ['org_id', 'source_id', 'type', 'auth_method', 'ip', 'user_agent', 'received_at', 'message_id',
  '"timestamp"', 'payload', 'additions']

const addKeys = `alter table events ${KEYS.map((name) => `add column ${name} int2`).join(', ')}`
const inOrder = `create index on events (org_id, received_at, seq, ${KEYS.join(', ')}, "timestamp")`
const WAYS: readonly Way[] = [
  { title: 'no search', ddl: [], hasKeys: false },
  { title: 'keys without an index', ddl: [addKeys], hasKeys: true },
  { title: 'one index in the order of lists with the keys at its end', ddl: [addKeys, inOrder], hasKeys: true },
  {
    title: 'the same in place of the primary key (chosen)',
    ddl: [addKeys, 'alter table events drop constraint events_pkey', inOrder],
    hasKeys: true
  },
  {
    title: 'an index for each key',
    ddl: [addKeys, ...KEYS.map((name) => `create index on events (${name}, received_at, seq)`)],
    hasKeys: true
  },
  {
    title: 'BRIN with Bloom filters',
    ddl: [addKeys, `create index on events using brin (${KEYS.map((name) => `${name} int2_bloom_ops`).join(', ')}) ` +
      'with (pages_per_range = 32, autosummarize = on)'],
    hasKeys: true
  }
]
const ONLY = process.env.ONLY?.split(',').map(Number)

/** User and system time of a process, seconds. */
function processorTime (pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Encodes a batch of events with random ids, of ten organisations. */
function batch (hasKeys: boolean) {
  const rows = new CopyRows(COLUMNS.length + (hasKeys ? KEYS.length : 0))
  const ids = new CopyRows(2)
  const now = Date.now()
  for (let n = 0; n < BATCH; n++) {
    const [id, anonymous] = [randomUUID(), randomUUID()]
    ids.row()
    ids.uuid(randomBytes(16).toString('latin1'))
    ids.time(now)
    rows.row()
    for (const text of [`org-${n % 10}`, `source-${n % 10}`, 'track', 'key', '203.0.113.9', 'Mozilla/5.0']) {
      rows.text(text)
    }
    rows.time(now)
    rows.text(id)
    rows.time(now)
    rows.text(`{"messageId":"${id}","anonymousId":"${anonymous}",${EVENT.slice(1)}`)
    rows.text('{"environment":"live","timestamp":"2026-01-01T00:00:00.000Z"}')
    if (!hasKeys) continue
    for (const value of [id, `event ${n % 50}`, `user ${Math.floor(Math.random() * 5_000)}`, anonymous]) {
      rows.int2(hash('sha256', value, 'buffer').readInt16BE())
    }
  }
  return [{ into: 'event_ids (id, seen_at)', messages: ids.messages() },
    { into: `events (${[...COLUMNS, ...hasKeys ? KEYS : []].join(', ')})`, messages: rows.messages() }]
}

async function prepare (url: string, way: Way, at: number): Promise<Side> {
  const own = new URL(url)
  own.searchParams.set('options', `-c search_path=way_${at},public`)
  const client = new pg.Client({ connectionString: own.href })
  await client.connect()
  await client.query(`create schema way_${at}`)
  await (await openDatabase({ url: own.href, migrations: BEFORE })).close()
  for (const statement of way.ddl) await client.query(statement)
  const { rows: [row] } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return { ...way, client, pid: row?.pid ?? 0, micros: [], wal: [] }
}

async function measure ({ client, pid, hasKeys, micros, wal }: Side): Promise<void> {
  const batches = Array.from({ length: BATCHES }, () => batch(hasKeys))
  const { rows: [before] } = await client.query('select pg_current_wal_insert_lsn() as place')
  const start = processorTime(pid)
  for (const parts of batches) await copyIn(client as unknown as Parameters<typeof copyIn>[0], parts)
  const end = processorTime(pid)
  const { rows: [after] } = await client.query('select pg_current_wal_insert_lsn() - $1::pg_lsn as bytes', [before.place])
  micros.push((end - start) * 1e6 / (BATCHES * BATCH))
  wal.push(Number(after.bytes) / (BATCHES * BATCH))
}

function mean (values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

await withPostgres(async (url) => {
  const sides: Side[] = []
  for (const [at, way] of WAYS.entries()) {
    if (ONLY === undefined || ONLY.includes(at)) sides.push(await prepare(url, way, at))
  }
  try {
    for (let round = -1; round < ROUNDS; round++) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) await measure(side)
      // The first round fills caches.
      if (round === -1) for (const { micros, wal } of sides) [micros.length, wal.length] = [0, 0]
    }
    console.log(`${describeHost()}, ${ROUNDS} rounds of ${BATCHES * BATCH} events\n`)
    console.log('| way | backend µs per event | ratio | WAL bytes per event |\n| --- | ---: | ---: | ---: |')
    const base = mean(sides[0]?.micros ?? [])
    for (const { title, micros, wal } of sides) {
      console.log(`| ${[title, mean(micros).toFixed(2), (mean(micros) / base).toFixed(3), Math.round(mean(wal))].join(' | ')} |`)
    }
  } finally {
    for (const { client } of sides) await client.end()
  }
})
