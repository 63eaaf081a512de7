import { readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import { copyFolder, folderWithDatabase } from '../../helpers/database-folder.js'
import { temporaryFolder } from '../../helpers/server-process.js'

// Each test copies this folder.
const made = await folderWithDatabase(t)
const original = await openDatabase({ dataDir: made })
await sql`create table kept (id int primary key, word text)`.execute(original.db)
await sql`insert into kept select n, repeat('x', 500) from generate_series(1, 500) n`.execute(original.db)
const { rows: [file] } = await sql<{ kept: string, catalogue: string }>`
  select pg_relation_filepath('kept') as kept, pg_relation_filepath('pg_class') as catalogue`.execute(original.db)
await original.close()

const damages: ReadonlyArray<readonly [what: string, damage: (pgdata: string) => Promise<void>]> = [
  ['without PG_VERSION', (pgdata) => rm(join(pgdata, 'PG_VERSION'))],
  ['of another major version', (pgdata) => writeFile(join(pgdata, 'PG_VERSION'), '12\n')],
  ['with a short control file', (pgdata) => truncate(join(pgdata, 'global/pg_control'), 100)],
  ['with flipped bits in the control file', (pgdata) => flip(join(pgdata, 'global/pg_control'), 40)],
  ['without its write-ahead log', (pgdata) => rm(join(pgdata, 'pg_wal'), { recursive: true })],
  ['without any data', (pgdata) => rm(join(pgdata, 'base'), { recursive: true })],
  ['with an empty catalogue', (pgdata) => truncate(join(pgdata, file?.catalogue ?? ''), 0)],
  ['with flipped bits in a table', (pgdata) => flip(join(pgdata, file?.kept ?? ''), 9_000)],
  ['with a table cut short', (pgdata) => truncate(join(pgdata, file?.kept ?? ''), 16_384)],
  ['with an empty table', (pgdata) => truncate(join(pgdata, file?.kept ?? ''), 0)],
  ['with a table missing', (pgdata) => rm(join(pgdata, file?.kept ?? ''))]
]

async function flip (path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes.writeUInt32LE(~bytes.readUInt32LE(at) >>> 0, at)
  await writeFile(path, bytes)
}

for (const [what, damage] of damages) {
  t.test(`a database ${what} is refused with its path, and the folder is unlocked`, async (t) => {
    const dataDir = await temporaryFolder(t)
    copyFolder(made, dataDir)
    const pgdata = join(dataDir, 'pgdata')
    await damage(pgdata)
    await t.rejects(openDatabase({ dataDir }), { message: pgdata })
    t.strictSame(await readdir(dataDir), ['pgdata'])
  })
}

t.test('the same database without damage opens', async (t) => {
  const database = await openDatabase({ dataDir: made })
  t.strictSame((await sql`select count(*)::int as n from kept`.execute(database.db)).rows, [{ n: 500 }])
  await database.close()
})

t.test('a start after an interrupted creation creates the database again', async (t) => {
  const dataDir = t.testdir({ 'pgdata.unfinished': { PG_VERSION: '18', base: {} } })
  const database = await openDatabase({ dataDir })
  await database.ready()
  await database.close()
  t.strictSame(await readdir(dataDir), ['pgdata'])
})
