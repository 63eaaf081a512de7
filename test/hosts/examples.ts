// The examples on the packed tarball, with the dependencies that they name. Run by `npm run test:all`, not `npm test`.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import t from 'tap'

import { isOfExample } from '../helpers/example.js'
import { install, packInto, ROOT, run } from '../helpers/packed-package.js'
import { privatePostgres } from '../helpers/postgres.js'

interface Project {
  dependencies: Record<string, string>
}

const examples = join(ROOT, 'examples')
const names = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'package.json')))
const folder = mkdtempSync(join(tmpdir(), 'examples-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

await packInto(folder)
for (const name of names) {
  const project = join(folder, name)
  cpSync(join(examples, name), project, { recursive: true, filter: isOfExample })
  const file = join(project, 'package.json')
  const { dependencies, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Project
  const packed = { ...dependencies, 'fastify-gatehouse': 'file:../fastify-gatehouse.tgz' }
  writeFileSync(file, JSON.stringify({ ...rest, dependencies: packed }))
}
// One installation for all examples.
writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: names }))
await install(folder)
await run(folder, 'npm', 'run', '--silent', 'build', '--workspaces', '--if-present')

t.test('the examples compile against the types of the package', async (t) => {
  // The configuration is the repository's, except that the package is found by its name.
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(examples, 'tsconfig.json'),
    compilerOptions: { rootDir: '.', paths: {}, typeRoots: [join(ROOT, 'node_modules/@types')] },
    include: ['*/**/*.js', '*/**/*.ts'],
    exclude: ['**/node_modules', '*/dist']
  }))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  t.equal(await run(folder, process.execPath, tsc, '-p', 'tsconfig.json'), '')
})

const postgres = await privatePostgres(t)
const env = {
  ...process.env,
  EXAMPLES_FOLDER: folder,
  ...postgres === null ? {} : { EXAMPLES_DATABASE_URL: postgres.url }
}
for (const name of names) {
  const test = join(ROOT, `test/examples/${name}.test.ts`)
  t.spawn(process.execPath, [...process.execArgv, test], { cwd: ROOT, env }, `${name}, with the packed tarball`)
}
