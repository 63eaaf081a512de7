import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
// The last for the collector, which is bundled before any test.
const LAYERS = ['schemas', 'signing', 'plugins', 'routes', 'demo', 'web']
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

function cliOf (folder: string): string {
  return join(folder, 'dist', 'demo', 'cli.js')
}

async function build (): Promise<string> {
  const layers = await Promise.all(LAYERS.map((layer) => readdir(join(ROOT, layer), { recursive: true, withFileTypes: true })))
  const files = layers.flat().filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const sources = [join(ROOT, 'index.ts'), ...files].sort()
  const contents = await Promise.all(sources.map((file) => readFile(file)))
  const hash = createHash('sha256')
  for (const [at, file] of sources.entries()) hash.update(file).update('\n').update(contents[at] ?? '')
  const folder = join(ROOT, '.tap', 'built', hash.digest('hex').slice(0, 16))
  if (await exists(cliOf(folder))) return folder

  const draft = `${folder}.${process.pid}.new`
  for (const [at, file] of sources.entries()) {
    const target = join(draft, 'dist', file.slice(ROOT.length))
    await mkdir(dirname(target), { recursive: true })
    if (file.endsWith('.ts')) await writeFile(target.replace(/\.ts$/, '.js'), transpile(String(contents[at])))
    else await cp(file, target)
  }
  await cp(join(ROOT, 'package.json'), join(draft, 'package.json'))
  await symlink(join(ROOT, 'node_modules'), join(draft, 'node_modules'))
  await rename(draft, folder).catch(async (error: unknown) => {
    // Another test file was first.
    await rm(draft, { recursive: true, force: true })
    if (!await exists(cliOf(folder))) throw error
  })
  await removeOld(dirname(folder))
  return folder
}

function transpile (source: string): string {
  return ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  }).outputText
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
