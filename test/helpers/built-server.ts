import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MANIFEST = join(ROOT, 'package.json')
const BUILD = join(ROOT, 'scripts', 'build-modules.mjs')
const HOUR = 3_600_000

let built: Promise<string> | undefined

/** The path of the program of `builtPackage`. */
export async function builtCli (): Promise<string> {
  return cliOf(await builtPackage())
}

/**
 * The folder of the package, built from the current sources without type checks, which takes some seconds less than
 * loading TypeScript at each start. Test files share builds by their content.
 */
export function builtPackage (): Promise<string> {
  return (built ??= build())
}

async function cliOf (folder: string): Promise<string> {
  const { bin } = JSON.parse(await readFile(MANIFEST, 'utf8')) as { bin: Record<string, string> }
  return join(folder, bin['fastify-gatehouse'] ?? '')
}

/** The files that the package is built from, and the browser scripts, which are bundled before any test. */
async function sourceFiles (): Promise<string[]> {
  const { include } = JSON.parse(await readFile(join(ROOT, 'tsconfig.build.json'), 'utf8')) as { include: string[] }
  const files = await Promise.all(
    [...include, 'web'].map((path) => path.endsWith('.ts') ? [join(ROOT, path)] : filesIn(join(ROOT, path)))
  )
  return files.flat().sort()
}

async function filesIn (folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

async function build (): Promise<string> {
  const sources = await sourceFiles()
  const contents = await Promise.all(sources.map((file) => readFile(file)))
  const hash = createHash('sha256').update(await readFile(BUILD)).update(await readFile(MANIFEST))
  for (const [at, file] of sources.entries()) hash.update(file).update('\n').update(contents[at] ?? '')
  const folder = join(ROOT, '.tap', 'built', hash.digest('hex').slice(0, 16))
  const cli = await cliOf(folder)
  if (await exists(cli)) return folder

  const draft = `${folder}.${process.pid}.new`
  for (const file of sources) {
    if (!file.endsWith('.ts')) await cp(file, join(draft, 'dist', file.slice(ROOT.length)))
  }
  await promisify(execFile)(process.execPath, [BUILD, join(draft, 'dist')], { env: { PATH: process.env.PATH ?? '' } })
  await cp(MANIFEST, join(draft, 'package.json'))
  await symlink(join(ROOT, 'node_modules'), join(draft, 'node_modules'))
  await rename(draft, folder).catch(async (error: unknown) => {
    // Another test file was first.
    await rm(draft, { recursive: true, force: true })
    if (!await exists(cli)) throw error
  })
  await removeOld(dirname(folder))
  return folder
}

async function removeOld (folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > HOUR) await rm(path, { recursive: true, force: true })
  }
}

function exists (path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false)
}
