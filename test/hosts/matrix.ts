// Host apps that use the packed tarball, as users install it. Run by `npm run test:all`, not by `npm test`.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'
import t from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

// Nothing of the test runner's environment, which would load its TypeScript hooks into every child.
const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
const run = (command: string, args: string[], cwd = folder) => execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

run('npm', ['pack', '--silent', '--pack-destination', folder], root)
const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
writeFileSync(join(folder, 'package.json'), '{ "private": true }')
run('npm', ['install', '--silent', '--no-audit', '--no-fund', `./${tarball}`, 'fastify@5', '@fastify/cors@11', '@fastify/helmet@13', '@fastify/rate-limit@11', '@fastify/multipart@10', 'fastify-raw-body@6'])

const USE = `
  const { proxyKey } = gatehouse
  const key = randomBytes(32).toString('base64url')
  const app = Fastify()
  app.register(proxyKey, { keys: [key] })
  app.get('/guarded', { config: { gatehouse: { proxyKey: true } } }, async () => 'in')
  const ask = async (headers) => (await app.inject({ url: '/guarded', headers })).statusCode
  ask({}).then(async (without) => {
    console.log(without, await ask({ authorization: 'Bearer ' + key }))
    await app.close()
  })`
const ESM = `import { randomBytes } from 'node:crypto'\nimport Fastify from 'fastify'\nimport * as gatehouse from 'fastify-gatehouse'\n${USE}`
const COMMONJS = `const { randomBytes } = require('node:crypto')\nconst Fastify = require('fastify')\nconst gatehouse = require('fastify-gatehouse')\n${USE}`

/** Runs a host in a file of its own and gives back what it printed: the status without and with the key. */
function host (name: string, code: string): string {
  writeFileSync(join(folder, name), code)
  return run(process.execPath, ['--no-warnings', name]).trim()
}

t.test('an ESM host', async (t) => {
  t.equal(host('host.mjs', ESM), '401 200')
})

t.test('a CommonJS host, by require()', async (t) => {
  t.equal(host('host.cjs', COMMONJS), '401 200')
})

for (const [format, name] of [['cjs', 'bundle.cjs'], ['esm', 'bundle.mjs']] as const) {
  t.test(`a bundle of a host, as esbuild makes it in the format ${format}`, async (t) => {
    writeFileSync(join(folder, 'to-bundle.mjs'), ESM)
    await build({
      entryPoints: [join(folder, 'to-bundle.mjs')],
      outfile: join(folder, 'bundled', name),
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'silent',
      external: ['altcha-lib', 'altcha-lib/*', '@fastify/csrf-protection', '@node-rs/argon2'],
      ...(format === 'esm' ? { banner: { js: 'import { createRequire } from \'node:module\'; const require = createRequire(import.meta.url)' } } : {})
    })
    t.equal(run(process.execPath, ['--no-warnings', join('bundled', name)]).trim(), '401 200')
  })
}

for (const [name, options] of [
  ['@fastify/cors', '{}'], ['@fastify/helmet', '{}'], ['@fastify/rate-limit', '{ max: 5 }'], ['@fastify/multipart', '{}'], ['fastify-raw-body', '{ global: true }']
] as const) {
  const register = `app.register(require('${name}'), ${options})`
  const own = 'app.register(proxyKey, { keys: [key] })'
  t.test(`beside ${name}, registered before and after`, async (t) => {
    t.equal(host('before.cjs', COMMONJS.replace(own, `${register}\n  ${own}`)), '401 200', 'before')
    t.equal(host('after.cjs', COMMONJS.replace(own, `${own}\n  ${register}`)), '401 200', 'after')
  })
}
