import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import t from 'tap'
import type { Test } from 'tap'

import { temporaryFolder } from './helpers/server-process.js'

const root = new URL('../', import.meta.url)
const docs = await readFile(new URL('docs/testing.md', root), 'utf8')
const { exports } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
  exports: Record<string, { default: string }>
}

/** The files of the example, with imports of the sources instead of the package. */
const files = new Map(
  [...docs.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => [name, code.replace(
    /'fastify-gatehouse\/([^']+)'/g,
    (_text, path: string) => `'${new URL(exports[`./${path}`]?.default.replace('dist/', '') ?? 'none', root).href}'`
  )])
)

/** Runs the tests of the example by `node --test`, with some of its files replaced. */
async function nodeTest (t: Test, tests: string[], changed: Record<string, string> = {}) {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [name, code] of Object.entries({ ...Object.fromEntries(files), ...changed })) {
    await writeFile(join(folder, name), code)
  }
  const loader = import.meta.resolve('@tapjs/typescript/import')
  // The process does not report to the runner of this test.
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, TAP: _tap, ...env } = process.env
  return await promisify(execFile)(process.execPath, ['--import', loader, '--test', '--test-reporter=tap', ...tests], {
    cwd: folder,
    env,
    maxBuffer: 64 * 1024 * 1024
  })
    .then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }: { code: number, stdout: string }) => ({ code, stdout })
    )
}

t.test('the example store and sink of the docs pass the conformance tests with node:test', async (t) => {
  t.same([...files.keys()], ['my-store.js', 'my-store.test.js', 'my-sink.test.js'])
  const { code, stdout } = await nodeTest(t, ['my-store.test.js', 'my-sink.test.js'])
  t.equal(code, 0, stdout.slice(-2_000))
  t.match(stdout, /^ok \d+ - my store passes the contract/m)
  t.match(stdout, 'changes of a source on one instance take effect on the other in time')
  t.ok((stdout.match(/^ +ok \d/gm) ?? []).length > 100)
})

t.test('a store that violates a rule fails the test of that rule', async (t) => {
  const store = files.get('my-store.js') ?? ''
  const broken = store.replace(/claim: .* \}/, 'claim: async () => true }')
  t.not(broken, store)
  const { code, stdout } = await nodeTest(t, ['my-store.test.js'], { 'my-store.js': broken })
  t.not(code, 0)
  t.match(stdout, /^ +not ok \d+ - a key can be claimed once until its claim expires, then once more/m)
  t.match(stdout, /^ +ok \d+ - a guest token is found only under its own key/m)
})
