import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

const SCRIPT = fileURLToPath(new URL('../../scripts/build-if-changed.mjs', import.meta.url))

t.test('npm start builds at first, after each change of a source and without dist, and not otherwise', async (t) => {
  const folder = t.testdir({
    'package.json': JSON.stringify({ scripts: { build: 'node build.mjs' } }),
    'build.mjs': `import { appendFileSync, mkdirSync } from 'node:fs'
      mkdirSync('dist', { recursive: true })
      appendFileSync('.builds', '.')`,
    lib: { 'a.ts': 'export const a = 1' },
    test: { 'a.test.ts': '' },
    web: { page: { built: {} } },
    scripts: {}
  })
  cpSync(SCRIPT, join(folder, 'scripts/build-if-changed.mjs'))
  const file = (path: string) => join(folder, path)
  let builds = 0
  const start = (expected: number, when: string) => {
    execFileSync(process.execPath, [file('scripts/build-if-changed.mjs')])
    const total = readFileSync(file('.builds'), 'utf8').length
    t.equal(total - builds, expected, when)
    builds = total
  }
  start(1, 'at first')
  start(0, 'again')
  writeFileSync(file('lib/a.ts'), 'export const a = 12')
  start(1, 'a source changed')
  mkdirSync(file('lib/b'))
  writeFileSync(file('lib/b/c.ts'), '')
  start(1, 'a source is new')
  rmSync(file('lib/b'), { recursive: true })
  start(1, 'a source was deleted')
  writeFileSync(file('test/a.test.ts'), 'void 0')
  writeFileSync(file('web/page/built/index.js'), 'void 0')
  start(0, 'a test and an output changed')
  rmSync(file('dist'), { recursive: true })
  start(1, 'dist is missing')
  t.ok(existsSync(file('dist/.sources')))
})

t.test('a failed build is repeated', async (t) => {
  const folder = t.testdir({
    'package.json': JSON.stringify({ scripts: { build: 'node -e "process.exit(3)"' } }),
    dist: {},
    scripts: {}
  })
  cpSync(SCRIPT, join(folder, 'scripts/build-if-changed.mjs'))
  for (const attempt of ['first', 'second']) {
    t.throws(() => execFileSync(process.execPath, [join(folder, 'scripts/build-if-changed.mjs')], { stdio: 'ignore' }), attempt)
  }
})
