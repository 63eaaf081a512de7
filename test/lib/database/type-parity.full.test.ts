import t from 'tap'
import pg from 'pg'

import { createPglitePool } from '../../../lib/database/pglite/pool.js'
import { startPgliteThread } from '../../../lib/database/pglite/thread.js'
import { privatePostgres } from '../../helpers/postgres.js'
import type { PostgresPoolSlice } from '../../../lib/database/postgres/pool-slice.js'

// Dates without a zone are local time, which UTC would not show.
process.env.TZ = 'America/St_Johns'

const moment = new Date('2024-07-01T12:34:56.789Z')
const bytes = Buffer.from([0, 1, 92, 39, 255])

const questions: ReadonlyArray<readonly [sql: string, params?: unknown[]]> = [
  ["set timezone = 'UTC'"],
  ["select 't'::bool as a, false as b, null::bool as c"],
  ['select 1::int2 as a, -2147483648::int4 as b, 9007199254740993::int8 as c, 7::oid as d'],
  ["select 1.5::float4 as a, 1e300::float8 as b, 'NaN'::float8 as c, '-Infinity'::float8 as d, " +
    '12345678901234567890.123::numeric as e'],
  ["select 'ü\n\\\"' as a, 'b'::varchar(3) as b, 'c'::char(3) as c, 'd'::name as d, '' as e"],
  ['select \'{"a":[1,null,"x"],"b":{}}\'::json as a, \'"text"\'::jsonb as b, \'null\'::jsonb as c, ' +
    '\'[1,2]\'::jsonb as d'],
  ["select '2024-07-01 12:34:56.789123+00'::timestamptz as a, '1999-12-31 23:59:59'::timestamp as b, " +
    "'2024-02-29'::date as c, '12:34'::time as d"],
  ["select 'infinity'::timestamptz as a, '-infinity'::date as b, '0044-03-15 BC'::date as c, '0001-01-01 " +
    "00:00:00+00'::timestamptz as d"],
  ["select '1850-01-01 00:00:00'::timestamptz as a, '12024-01-01 00:00:00+00'::timestamptz as b"],
  ["select '\\x00015c27ff'::bytea as a, ''::bytea as b"],
  ["select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as a, '127.0.0.1/8'::inet as b"],
  ["select array['a','b,c','\"','\\','NULL',null,'','{}',' x '] as a, array[]::text[] as b, " +
    "array[['a','b'],['c',null]] as c, '[0:1]={x,y}'::text[] as d"],
  ['select array[1,null]::int4[] as a, array[9007199254740993]::int8[] as b, array[1.5]::float8[] as c, ' +
    'array[2.5]::numeric[] as d, array[true,null] as e'],
  ["select array['2024-07-01 00:00:00+00'::timestamptz] as a, array['\\x00ff'::bytea] as b, " +
    "array['{\"a\":1}'::jsonb] as c, array['2024-02-29'::date] as d"],
  ['select $1::text as a, $2::int as b, $3::bool as c, $4::float8 as d, $5::text as e', ['ü\\\'"', 5, true, 0.1, null]],
  ['select $1::int8 as a, $2::numeric as b', [9007199254740993n, '0.10']],
  ['select $1::timestamptz as a, $2::timestamp as b, $3::date as c', [moment, moment, moment]],
  ['select $1::timestamptz as a', [new Date(Date.UTC(-50, 0, 1))]],
  ['select $1::bytea as a, $2::bytea as b', [bytes, new Uint8Array([9, 8, 7]).subarray(1)]],
  ['select $1::jsonb as a, $2::json as b, $3::jsonb as c', [{ a: [1, { b: null }] }, JSON.stringify([1, 'x']), 'null']],
  ['select $1::text[] as a, $2::int[] as b, $3::text[] as c', [['a', 'b,c', '"', '\\', 'NULL', null, ''], [1, null],
    []]],
  ['select $1::text[] as a, $2::timestamptz[] as b, $3::bytea[] as c, $4::jsonb[] as d', [[['a', 'b'], ['c', 'd']], [
    moment
  ], [bytes], [{ a: 1 }, { b: '"' }]]],
  ['select $1::bool[] as a, $2::int8[] as b', [[true, false, null], [9007199254740993n]]],
  ['select * from unnest($1::text[], $2::timestamptz[]) as t (word, at)', [['x', 'y'], [moment, null]]],
  ['select 1 as same, 2 as same'],
  ['select'],
  ['select 1 where false'],
  ['select $1::text as a', [undefined]],
  ['select $1::text as a', ['nul\0']],
  ['select $1::jsonb as a', ['{']],
  ['select $1::jsonb as a', [['not json but an array literal']]],
  ['select $1::int as a', [[1]]],
  ['select $1::bytea as a', ['\\xzz']],
  ['create temporary table numbers (n int primary key, word text not null)'],
  ['insert into numbers values ($1, $2), (2, $2)', [1, 'x']],
  ['insert into numbers values ($1, $2) on conflict do nothing', [1, 'x']],
  ['update numbers set word = $1 returning n', ['y']],
  ['delete from numbers where n = $1', [2]],
  ["insert into numbers values (1, 'z')"],
  ['insert into numbers values (3, null)'],
  ['select nothing'],
  ['select 1 / 0'],
  ['begin'],
  ['select from nowhere'],
  ['select 1'],
  ['commit']
]

async function ask (pool: PostgresPoolSlice): Promise<unknown[]> {
  const client = await pool.connect()
  const answers: unknown[] = []
  for (const [sql, params = []] of questions) {
    answers.push(
      await client.query(sql, params).then(
        ({ command, rowCount, rows }) => ({ command, rowCount, rows }),
        ({ name, code, severity, message, table, column, constraint }) => ({
          name,
          code,
          severity,
          message,
          table,
          column,
          constraint
        })
      )
    )
  }
  client.release()
  return answers
}

t.test('the embedded database returns the same values, row counts and errors as pg', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const real = new pg.Pool({ connectionString: server.url })
  const embedded = createPglitePool(await startPgliteThread())
  t.teardown(() => Promise.all([real.end(), embedded.end()]))

  const expected = await ask(real)
  const found = await ask(embedded)
  for (const [at, [sql]] of questions.entries()) t.strictSame(found[at], expected[at], sql)
})
