import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import t from 'tap'

import { ROOT } from '../helpers/docs-pages.js'

const page = await readFile(new URL('CONTRIBUTING.md', ROOT), 'utf8')
const { scripts } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8')) as {
  scripts: Record<string, string>
}

t.test('CONTRIBUTING.md names files and folders that exist', async (t) => {
  const paths = [...page.matchAll(/`([\w.-]*\/[\w./-]*|[A-Z]+\.md|[\w.-]+\.(?:ts|json|yaml))`/g)].map(([, path = '']) =>
    path
  )
    // The build writes `dist/`, which a fresh clone does not have.
    .filter((path) => !/^(?:fastify-gatehouse|dist)\//.test(path) && !['x.ts', 'x/', 'index.ts'].includes(path))
  t.ok(paths.length > 40)
  for (const path of paths) t.ok(existsSync(new URL(path, ROOT)), path)
})

t.test('CONTRIBUTING.md names scripts of the package', async (t) => {
  const named = [...page.matchAll(/`npm (?:run )?(test|[\w:-]+)(?: [^`]*)?`/g)].map(([, name = '']) => name)
    .filter((name) => !['ci', 'version', 'publish'].includes(name))
  t.ok(named.length > 5)
  for (const name of named) t.ok(name in scripts, name)
})

t.test('the table of the layout has each folder of the repository', async (t) => {
  for (
    const folder of ['schemas', 'signing', 'contracts', 'lib', 'plugins', 'routes', 'server', 'web', 'conformance',
      'examples', 'docs', 'test']
  ) {
    t.match(page, new RegExp(`^\\| .*\`${folder}/\`.* \\|`, 'm'), folder)
  }
})
