import { readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import t from 'tap'

import { folderWithDatabase } from '../helpers/database-folder.js'
import { runProgram } from '../helpers/server-process.js'
import { LOADED } from '../helpers/stores.js'

const CATALOGUE = '1259'

const damages: ReadonlyArray<readonly [what: string, damage: (pgdata: string) => Promise<void>]> = [
  ['without PG_VERSION', (pgdata) => rm(join(pgdata, 'PG_VERSION'))],
  ['with flipped bits in its control file', async (pgdata) => {
    const file = join(pgdata, 'global/pg_control')
    const bytes = await readFile(file)
    bytes.writeUInt32LE(~bytes.readUInt32LE(40) >>> 0, 40)
    await writeFile(file, bytes)
  }],
  ['with its catalogue cut short', async (pgdata) => {
    for (const database of await readdir(join(pgdata, 'base'))) {
      await truncate(join(pgdata, 'base', database, CATALOGUE), 8_192)
    }
  }]
]

for (const [what, damage] of damages) {
  t.test(`a server on a database ${what} logs the error and exits, and creates no other database`, async (t) => {
    const dataDir = await folderWithDatabase(t)
    const pgdata = join(dataDir, 'pgdata')
    await damage(pgdata)
    const before = await readdir(pgdata)
    const program = await runProgram(t, ['start'], { DATA_DIR: dataDir, PORT: '0', ...LOADED })
    const { code } = await program.ended
    t.ok(code !== null && code > 0, `exit ${code}`)
    t.ok(program.stderr().includes(pgdata), program.stderr())
    t.notMatch(program.stdout(), /listens|Making/)
    const after = await readdir(pgdata)
    t.same(before.filter((name) => !after.includes(name)), [], 'no file was removed')
    t.same(await readdir(dataDir), ['pgdata'])
  })
}
