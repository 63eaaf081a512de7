import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'

import { CopyRows } from '../../../lib/database/copy-rows.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import type { CopyPart } from '../../../lib/database/postgres/pool-slice.js'
import { toTimestamp } from '../../../plugins/event-sink/sql/insert.js'
import { privatePostgres } from '../../helpers/postgres.js'

const postgres = await privatePostgres(t)
if (postgres === null) process.exit(0)
const { url } = postgres
const database = await openDatabase({ url })
t.teardown(() => database.close())
await sql`create table copied (n bigint generated always as identity, body text, document json, at timestamptz)`
  .execute(database.db)
await sql`create table numbered (id text primary key)`.execute(database.db)

const COPIED = 'copied (body, document, at)'

async function copy (parts: CopyPart[], { copy }: Database = database): Promise<void> {
  if (copy === null) throw new Error('expected a copy function')
  await copy(parts)
}

function numbered (...ids: string[]): CopyPart {
  const rows = new CopyRows(1)
  for (const id of ids) {
    rows.row()
    rows.text(id)
  }
  return { into: 'numbered (id)', messages: rows.messages() }
}

async function ids (): Promise<string[]> {
  return (await sql<{ id: string }>`select id from numbered order by id collate "C"`.execute(database.db)).rows.map((
    { id }
  ) => id)
}

t.test('strings are copied unchanged: null, empty, in any script and with characters that the ' +
  'text format escapes', async (t) => {
  const texts = [null, '', ' ', '\\N', '\\.', 'a\tb\nc\rd', '"', 'NULL', 'é', '\u20ac', '🙂', '\u202e', '\u0001\u007f',
    '\ufeff', '\uffff', 'x'.repeat(70_000), '🙂'.repeat(3_000_000)]
  const rows = new CopyRows(3)
  for (const text of texts) {
    rows.row()
    rows.text(text)
    rows.text(text === null ? null : JSON.stringify({ text, escaped: '\0\ud800' }))
    rows.time(0)
  }
  await copy([{ into: COPIED, messages: rows.messages() }])
  const { rows: read } = await sql<
    { body: string | null, document: string | null }
  >`select body, document::text from copied order by n`.execute(database.db)
  t.ok(read.every(({ body }, at) => body === texts[at]))
  t.ok(
    read.every(({ document }, at) =>
      document === (texts[at] === null ? null : JSON.stringify({ text: texts[at], escaped: '\0\ud800' }))
    )
  )
  t.equal(read.length, texts.length)

  rows.reset()
  rows.row()
  for (const text of ['after', '{"a": 1.0}']) rows.text(text)
  rows.time(0)
  await copy([{ into: COPIED, messages: rows.messages() }])
  t.same(
    (await sql`select body, document::text as document from copied order by n desc limit 1`.execute(database.db)).rows,
    [{ body: 'after', document: '{"a": 1.0}' }],
    'the object works again after a buffer that was too large to keep'
  )
})

t.test('times are copied exactly, before 2000, before 1970, before the year 1 and up to the last date', async (t) => {
  const times = [
    0,
    -1,
    1,
    946_684_800_000,
    946_684_799_999,
    946_684_800_001,
    1_768_478_400_123,
    -62_135_596_800_000,
    -62_135_596_800_001,
    -62_167_219_200_000,
    Date.parse('-000001-12-31T00:00:00.000Z'),
    Date.parse('-004000-01-01T00:00:00.000Z'),
    Date.parse('9999-12-31T23:59:59.999Z'),
    8.64e15
  ]
  const rows = new CopyRows(3)
  for (const time of times) {
    rows.row()
    rows.text(time < 8.64e15 ? toTimestamp(time) : '275760-09-13T00:00:00.000Z')
    rows.text('{}')
    rows.time(time)
  }
  await sql`truncate copied`.execute(database.db)
  await copy([{ into: COPIED, messages: rows.messages() }])
  t.same((await sql`select body, at from copied where at <> body::timestamptz`.execute(database.db)).rows, [])
  t.same((await sql`select count(*)::int as n from copied`.execute(database.db)).rows, [{ n: times.length }])
})

t.test('a fraction of a millisecond is accepted', async (t) => {
  const rows = new CopyRows(3)
  for (const time of [1_768_478_400_123.4, 0.1, -0.7]) {
    rows.row()
    rows.text('part')
    rows.text('{}')
    rows.time(time)
  }
  await copy([{ into: COPIED, messages: rows.messages() }])
  const { rows: read } = await sql<{ at: Date }>`select at from copied where body = 'part' order by n`.execute(
    database.db
  )
  t.ok(read.every(({ at }, index) => Math.abs(at.getTime() - ([1_768_478_400_123, 0, -1][index] ?? NaN)) <= 1))
})

t.test('a COPY without rows succeeds', async (t) => {
  await copy([numbered(), numbered()])
  t.same(await ids(), [])
})

t.test('several COPYs succeed or fail together, and the connection still works afterwards', async (t) => {
  await copy([numbered('a'), numbered('b')])
  for (
    const parts of [
      [numbered('a'), numbered('c')],
      [numbered('c'), numbered('d', 'b')],
      [numbered('c'), { into: 'no_such_table (id)', messages: numbered('d').messages }],
      [{ into: 'no_such_table (id)', messages: numbered('d').messages }, numbered('c')],
      [numbered('c'), { into: 'numbered (id)', messages: numbered('x'.repeat(2_000), 'b').messages }]
    ]
  ) {
    await t.rejects(copy(parts), { code: /^(23505|42P01)$/ })
    t.same(await ids(), ['a', 'b'])
  }
  await copy([numbered('c'), numbered('d')])
  t.same(await ids(), ['a', 'b', 'c', 'd'])
})

t.test('a pool of the caller uses COPY, and a pool in pipeline mode does not', async (t) => {
  const pools = [{}, { pipeline: true }].map((options) => new pg.Pool({ connectionString: url, max: 1, ...options }))
  t.teardown(() => Promise.all(pools.map((pool) => pool.end())))
  const [plain, ahead] = await Promise.all(pools.map((pool) => openDatabase({ pool })))
  await copy([numbered('e')], plain)
  t.same((await ids()).at(-1), 'e')
  t.equal(ahead?.copy, null)
})
