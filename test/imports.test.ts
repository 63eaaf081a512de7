import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const FOLDERS = ['schemas', 'signing', 'contracts', 'lib', 'plugins', 'routes', 'server', 'conformance', 'web']

/** Maps the files of folders to our files that they import, type imports and `import()` included. */
async function importsIn (folders: readonly string[]): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>()
  for (const folder of folders) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) imports.set(join(folder, name), [])
    }
  }
  for (const [file, imported] of imports) {
    const { importedFiles } = ts.preProcessFile(await readFile(join(ROOT, file), 'utf8'), true, true)
    for (const { fileName } of importedFiles) {
      const target = relative(ROOT, resolve(ROOT, file, '..', fileName)).replace(/\.js$/, '.ts')
      if (fileName.startsWith('.') && imports.has(target)) imported.push(target)
    }
  }
  return imports
}

/** Returns each import cycle, as its files in the order in which they import each other. */
function circles (imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Map<string, string>()
  for (const start of imports.keys()) {
    const from = new Map<string, string>()
    const open = [start]
    for (const file of open) {
      for (const next of imports.get(file) ?? []) {
        if (!from.has(next)) open.push(next)
        if (!from.has(next)) from.set(next, file)
      }
    }
    if (!from.has(start)) continue
    const circle = [start]
    for (let at = from.get(start); at !== undefined && at !== start; at = from.get(at)) circle.unshift(at)
    found.set([...circle].sort().join(), circle.join(' -> '))
  }
  return [...found.values()]
}

t.test('the search for import cycles finds a cycle of types, and no cycle in a file without cycles', async (t) => {
  t.same(circles(new Map([['a', ['b']], ['b', ['c']], ['c', []]])), [])
  t.same(circles(new Map([['a', ['b', 'c']], ['b', []], ['c', ['a']]])), ['a -> c'])
  t.same(circles(new Map([['a', ['a']]])), ['a'])
})

t.test('no file is part of an import cycle, type imports included', async (t) => {
  const imports = await importsIn(FOLDERS)
  t.ok([...imports.values()].flat().length > 1000, 'the imports were read')
  t.same(circles(imports), [])
})

t.test('there is no file x.ts beside a folder x', async (t) => {
  const files = [...(await importsIn(FOLDERS)).keys()]
  t.ok(files.length > 300, 'the files were listed')
  for (const file of files) await t.rejects(stat(join(ROOT, file.replace(/\.ts$/, ''))), { code: 'ENOENT' }, file)
})
