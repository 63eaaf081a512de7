// Host apps that use the packed tarball, as users install it. Run by `npm run test:all`, not by `npm test`.
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { build } from 'esbuild'
import t from 'tap'
import type { Test } from 'tap'

import { install, packInto, run } from '../helpers/packed-package.js'

const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a file of a host in the folder with the installed tarball and returns what it printed. */
async function host (...args: string[]): Promise<unknown> {
  return JSON.parse(await run(folder, process.execPath, '--no-warnings', ...args))
}

cpSync(new URL('apps/', import.meta.url), folder, { recursive: true })
await packInto(folder)
await install(folder)

/** The statuses that the routes of the suite return in every host. */
const STATUSES = {
  guarded: [401, 200], widget: 200, event: 200, broken: 400, invalid: 400, login: 200, wrongPassword: 401, me: 200
}
const OWN = { own: [200, 400, 401] }
/** Whether the plugin of the host is registered before the suite or after it. */
const ORDERS = ['before', 'after'] as const
const SUITE = { before: 'after', after: 'before' }

// CommonJS packages in an ESM bundle call require().
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"

t.jobs = 2

/** A test that runs in parallel with one other test. */
function test (title: string, check: (t: Test) => Promise<void>): void {
  t.test(title, { buffered: true }, check)
}

test('a CommonJS host loads the suite by require()', async (t) => {
  t.strictSame(await host('commonjs.cjs'), { guarded: [401, 200], widget: 200 })
})

const { peerDependenciesMeta } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
) as { peerDependenciesMeta: Record<string, { optional: boolean }> }
const OPTIONAL = Object.keys(peerDependenciesMeta)

/** Bundles an entry with esbuild into a new folder, copies `files` of the package beside it, and returns its path. */
async function bundle (entry: string, format: 'cjs' | 'esm', files: string[] = []): Promise<string> {
  const out = join(folder, `${entry}-${format}`)
  const outfile = join(out, format === 'cjs' ? 'host.cjs' : 'host.mjs')
  await build({
    entryPoints: [join(folder, `${entry}.mjs`)],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    logLevel: 'silent',
    // As the docs say: the optional packages, which the host has not installed.
    external: [...OPTIONAL, 'altcha-lib/*'],
    banner: format === 'cjs' ? {} : { js: REQUIRE }
  })
  const dist = join(folder, 'node_modules/fastify-gatehouse/dist')
  for (const file of files) copyFileSync(join(dist, file), join(out, basename(file)))
  return outfile
}

for (const format of ['cjs', 'esm'] as const) {
  test(`an esbuild bundle in the format ${format} issues widget tokens, without files beside it`, async (t) => {
    t.equal(await host(await bundle('widget', format)), 200)
  })

  test(`an esbuild bundle in the format ${format} serves the suite, with the collector beside it`, async (t) => {
    t.strictSame(await host(await bundle('bundled', format, ['web/collector/d.js'])), STATUSES)
  })
}

for (const [name, options] of [
  ['@fastify/compress', {}],
  ['@fastify/cors', {}],
  ['@fastify/formbody', {}],
  ['@fastify/helmet', {}],
  ['@fastify/multipart', {}],
  ['@fastify/rate-limit', { max: 100 }],
  ['@fastify/sensible', {}],
  ['fastify-raw-body', { global: true }]
] as const) {
  for (const order of ORDERS) {
    test(`the suite works ${SUITE[order]} ${name}`, async (t) => {
      t.strictSame(await host('run.mjs', 'plain', order, name, JSON.stringify(options)), STATUSES)
    })
  }
}

for (const [name, title, own] of [
  ['swagger', '@fastify/swagger, whose document has the security of guarded routes', { security: [{ proxyKey: [] }] }],
  ['session', '@fastify/session, which holds the sessions of CSRF tokens', {
    ownSession: 200, otherSession: 403, noToken: 403
  }],
  ['zod', 'the compilers and the document of fastify-type-provider-zod', { ...OWN, security: [{ proxyKey: [] }] }],
  ['typebox', 'the validator compiler of @fastify/type-provider-typebox', OWN],
  ['http2', 'HTTP/2 in clear text, connectionLimit and requireHttps', { limited: 200 }]
] as const) {
  for (const order of ORDERS) {
    test(`the suite works ${SUITE[order]} ${title}`, async (t) => {
      const documented = name === 'swagger' && order === 'before' ? { documented: true } : {}
      t.strictSame(await host('run.mjs', name, order), { ...STATUSES, ...own, ...documented })
    })
  }
}

for (const namespace of [null, ['host']]) {
  for (const order of ORDERS) {
    const where = `${SUITE[order]} @fastify/jwt ${namespace === null ? 'without' : 'with'} a namespace`
    test(`the suite works ${where}, whose tokens do not authenticate an administrator`, async (t) => {
      const own = { ownToken: [401, 200], asAdministrator: 401 }
      t.strictSame(await host('run.mjs', 'jwt', order, ...namespace ?? []), { ...STATUSES, ...own })
    })
  }
}

for (const [name, order, title] of [
  ['nest', 'application', 'a NestJS application that registers the suite itself'],
  ['nest', 'instance', 'a NestJS application that registers the suite on Fastify\'s instance'],
  ['autoload', 'folders', 'a host that loads the suite by @fastify/autoload, with folder names as prefixes'],
  ['autoload', 'prefix', 'a host that gives @fastify/autoload a prefix for all of its folders']
] as const) {
  test(`${title} returns the same statuses`, async (t) => {
    t.strictSame(await host('run.mjs', name, order), STATUSES)
  })
}
