import { fileURLToPath } from 'node:url'

import t from 'tap'

import { entryPoints, missingTypes, readProgram } from './helpers/public-types.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const entries = entryPoints(ROOT)
const program = readProgram(ROOT, [...entries.values()])

t.test('each entry point of the package is found', async (t) => {
  t.ok(entries.size > 30)
  for (const [name, file] of entries) t.ok(program.getSourceFile(file), `${name}: ${file}`)
})

for (const [name, file] of entries) {
  t.test(`${name} exports every type that its options use`, async (t) => {
    t.same(missingTypes(program, file, file), [])
  })
}

t.test('the root exports every type that the options of its exports use', async (t) => {
  const [root = ''] = entries.values()
  t.same(missingTypes(program, root, root), [])
})

t.test('a type that an entry point does not export is found', async (t) => {
  const file = fileURLToPath(new URL('fixtures/hidden-types.ts', import.meta.url))
  t.same(missingTypes(readProgram(ROOT, [file]), file, file), ['Color', 'Inner', 'Level', 'Shape'])
})
