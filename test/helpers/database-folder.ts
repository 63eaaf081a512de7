import { cpSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type t from 'tap'

import { openPgdata } from '../../lib/database/pglite/pgdata.js'
import { temporaryFolder } from './server-process.js'

const TEMPLATES = fileURLToPath(new URL('../../.tap/databases/', import.meta.url))
const PACKAGE = new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url)

let template: Promise<string> | undefined

/**
 * A folder for one test with an embedded database in it that is as new as can be: no table is there yet. Making one
 * takes seconds and
 * copying it none, so all test files copy the same.
 */
export async function folderWithDatabase (test: Pick<typeof t, 'teardown'>): Promise<string> {
  const folder = await temporaryFolder(test)
  copyFolder(await (template ??= createTemplate()), folder)
  return folder
}

/** Synchronously: of a thousand small files that takes a third of the time. */
export function copyFolder (from: string, to: string): void {
  cpSync(from, to, { recursive: true })
}

async function createTemplate (): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: string }
  const folder = join(TEMPLATES, version)
  if (await exists(folder)) return folder
  const draft = `${folder}.${process.pid}.new`
  await mkdir(dirname(draft), { recursive: true })
  await mkdir(draft)
  const pool = await openPgdata(draft, () => {})
  await pool.end()
  await rename(draft, folder).catch(async (error: unknown) => {
    // Another test file was first.
    await rm(draft, { recursive: true, force: true })
    if (!await exists(folder)) throw error
  })
  return folder
}

function exists (path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false)
}
