import { readdir, readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

type Versions = Record<string, string>

interface Manifest {
  name: string
  version: string
  private?: boolean
  dependencies: Versions
  devDependencies?: Versions
  peerDependencies?: Versions
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXAMPLES = join(ROOT, 'examples')
const IMPORT = /(?:\bfrom |\bimport |\brequire\(|import\.meta\.resolve\()'([^'.][^']*)'/g
// Used without an import: compilers, the command of fastify-cli, and the drivers that `openDatabase` loads.
const UNIMPORTED = new Set(['@types/node', 'typescript', 'fastify-cli', '@electric-sql/pglite', 'kysely', 'pg'])

const read = (...path: string[]) => readFile(join(...path), 'utf8')
const manifest = async (folder: string) => JSON.parse(await read(folder, 'package.json')) as Manifest
const entries = await readdir(EXAMPLES, { withFileTypes: true })
const names = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules').map(({ name }) => name)

/** The code of an example, all files together. */
async function sourceOf (name: string): Promise<string> {
  const files = await readdir(join(EXAMPLES, name), { recursive: true })
  const sources = files.filter((file) => /\.[jt]s$/.test(file) && !/(?:^|[\\/])(?:node_modules|dist)[\\/]/.test(file))
  return (await Promise.all(sources.map((file) => read(EXAMPLES, name, file)))).join('\n')
}

function packageOf (specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

t.test('the list of examples names each of them', async (t) => {
  const list = [...(await read(EXAMPLES, 'README.md')).matchAll(/^\| \[([\w-]+)\]\(\1\) \|/gm)].map(([, name]) => name)
  t.strictSame(list.sort(), names.sort())
})

for (const name of names) {
  t.test(`${name} depends on the packages that it uses, in the versions of this repository`, async (t) => {
    const { dependencies, devDependencies = {}, ...rest } = await manifest(join(EXAMPLES, name))
    t.equal(rest.private, true)
    t.equal(rest.name, `fastify-gatehouse-example-${name}`)
    const all = { ...dependencies, ...devDependencies }
    const imported = [...(await sourceOf(name)).matchAll(IMPORT)].map(([, specifier = '']) => specifier)
    const used = new Set(imported.filter((specifier) => !isBuiltin(specifier)).map(packageOf))
    t.strictSame(Object.keys(all).filter((key) => !UNIMPORTED.has(key)).sort(), [...used].sort())

    const own = await manifest(ROOT)
    const versions: Versions = { ...own.devDependencies, ...own.dependencies, [own.name]: `^${own.version}` }
    for (const [key, version] of Object.entries(all)) if (key in versions) t.equal(version, versions[key], key)
  })

  t.test(`${name} reads every variable of its .env.example, and its README says how to start it`, async (t) => {
    const source = await sourceOf(name)
    const example = await read(EXAMPLES, name, '.env.example')
    const variables = [...example.matchAll(/^(\w+)=/gm)].map(([, variable = '']) => variable)
    t.not(variables.length, 0)
    for (const variable of variables) t.match(source, new RegExp(`\\b${variable}\\b`), variable)
    const start = /^npm install\ncp \.env\.example \.env .*\n(?:npm run .*\n)?npm start$/m
    t.match(await read(EXAMPLES, name, 'README.md'), start)
  })
}
