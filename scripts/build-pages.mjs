// Builds pages with Vite into the folder `built` next to their sources, unless their sources have not changed.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'vite'

/**
 * Builds the pages of `root`, a path relative to this module. `folders` and `others` are the folders and files that the
 * build reads, relative to `root`. `finish` receives the folder of the new files before they are put in place.
 */
export async function buildPages ({ root: path, folders, others, finish = () => {} }) {
  const root = fileURLToPath(new URL(path, import.meta.url))
  const built = join(root, 'built')
  const hash = hashOf(root, folders, others)
  if (read(join(built, '.sources')) === hash) return
  const unfinished = join(root, `built.${process.pid}`)
  await build({ root, logLevel: 'warn', build: { outDir: unfinished, emptyOutDir: true } })
  finish(unfinished)
  writeFileSync(join(unfinished, '.sources'), hash)
  const former = `${unfinished}.former`
  // Renames the folder, because other processes may be reading it.
  if (existsSync(built)) renameSync(built, former)
  renameSync(unfinished, built)
  rmSync(former, { recursive: true, force: true })
}

/** The hash of what the build reads: the sources, the build itself and the versions of packages. */
function hashOf (root, folders, others) {
  const sum = createHash('sha256')
  const sources = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name)).sort())
  const files = [...sources, ...others.map((name) => join(root, name)), fileURLToPath(import.meta.url)]
  for (const file of files) sum.update(file.slice(root.length)).update(readFileSync(file))
  return sum.digest('hex')
}

function read (file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
