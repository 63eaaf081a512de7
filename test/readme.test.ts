import { readFile } from 'node:fs/promises'

import t from 'tap'

const README = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const { exports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, unknown>
}

/** Subpaths that are parts of another plugin or no plugin, and have no separate row. */
const WITHOUT_ROW = [
  '.',
  './errors',
  './token-store/sql',
  './event-sink/sql',
  './event-sink/jetstream',
  './database',
  './schemas',
  './signing',
  './browser',
  './testing',
  './package.json'
]

t.test('the README has at most 220 lines', async (t) => {
  t.ok(README.split('\n').length <= 220)
})

t.test('the table of plugins has a row for each exported plugin, with its page', async (t) => {
  const rows = [...README.matchAll(/^\| \[`([a-z-]+)`\]\(docs\/([a-z-]+)\.md\) \|/gm)].map(([, name, page]) => {
    t.equal(page, name)
    return `./${name}`
  })
  t.same(rows.sort(), Object.keys(exports).filter((path) => !WITHOUT_ROW.includes(path)).sort())
})

t.test('every subpath that the README imports is exported', async (t) => {
  const imported = [...README.matchAll(/from 'fastify-gatehouse\/([^']+)'/g)].map(([, path]) => path)
  t.ok(imported.length > 1)
  for (const path of imported) t.ok(`./${path}` in exports, String(path))
})
