import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'

import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t from 'tap'

import * as gatehouse from '../index.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import { freePort } from './helpers/free-port.js'

const README = await readFile(new URL('../README.md', import.meta.url), 'utf8')

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...texts: string[]) => (...values: unknown[]) => Promise<void>

/** The first block of a language below a heading. */
function block (heading: string, language: string): string {
  const section = README.slice(README.indexOf(`## ${heading}\n`))
  return section.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? ''
}

t.test('the quick start runs as printed', async (t) => {
  const code = block('In your app', 'js')
  t.ok(code.trim().split('\n').length <= 24, 'it is short')
  // The package by its sources, as nothing is built yet; the check of the packed package imports it by its name.
  const file = new URL('./.quick-start.ts', import.meta.url)
  await writeFile(file, `// @ts-nocheck\n${code.replace(/'fastify-gatehouse\/guest-token'/, '\'../routes/guest-token.js\'')}`)
  t.teardown(() => rm(file, { force: true }))
  const [proxyKey, port] = [generateSecret(), await freePort()]
  const server = spawn(process.execPath, [...process.execArgv, file.pathname], {
    env: { ...process.env, PORT: String(port), DATABRAIN_API_KEY: 'an-api-key', DATABRAIN_PROXY_KEY: proxyKey, USER_REFERENCE_KEY: generateSecret() },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => server.kill('SIGKILL'))
  for await (const line of server.stdout) if (String(line).includes('Server listening')) break

  const page = await (await fetch(`http://127.0.0.1:${port}/dashboard`)).text()
  const dbn = JSON.parse(/window\.dbn = (\{.*?\})</.exec(page)?.[1] ?? '{}') as { proxyAuthUrl: string, proxyAuthKey: string }
  t.equal(dbn.proxyAuthKey, proxyKey)
  const { search } = new URL(dbn.proxyAuthUrl)
  const call = (key: string, query: string) => fetch(`http://127.0.0.1:${port}/api/databrain/guest-token${query}`, { headers: { authorization: `Bearer ${key}` } })
  t.equal((await call(generateSecret(), search)).status, 401, 'a wrong key is refused')
  t.equal((await call(proxyKey, '')).status, 401, 'no user is refused')
  // The product's API is out of reach here, so a good call ends as an upstream failure: past every check of ours.
  t.not((await call(proxyKey, search)).status, 401, 'the page\'s own call is let in')
})

t.test('the administrators\' part runs as printed: the first one logs in, and a route of the host takes the tokens', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(gatehouse.tokenStore, { sweepEvery: 0 })
  const parts = {
    ...gatehouse,
    app,
    process: { env: { JWT_SECRET: generateSecret() } },
    handler: async ({ admin }: FastifyRequest) => ({ role: admin?.role }),
    password: 'a quite unguessable one'
  }
  await new AsyncFunction(...Object.keys(parts), block('adminGuard, adminAuth, adminApi', 'js'))(...Object.values(parts))
  t.equal((await app.inject('/internal')).statusCode, 401)
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email: 'owner@example.com', password: parts.password } })
  const headers = { authorization: `Bearer ${login.json<{ access_token: string }>().access_token}` }
  t.same((await app.inject({ url: '/internal', headers })).json(), { role: 'owner' })
  t.equal((await app.inject({ url: '/v1/admin/sources', headers })).statusCode, 200)
})

t.test('every subpath that the README imports is exported, and every exported plugin is in its table', async (t) => {
  const { exports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { exports: Record<string, unknown> }
  const imported = [...README.matchAll(/from 'fastify-gatehouse\/([^']+)'/g)].map(([, path]) => path)
  t.ok(imported.length > 4)
  for (const path of imported) t.ok(`./${path}` in exports, String(path))
  for (const [, path] of README.matchAll(/^\| `([a-z-]+)` \| .*\|$/gm)) {
    if (README.indexOf(`| \`${path}\` |`) < README.indexOf('**Guards**')) t.ok(`./${path}` in exports, String(path))
  }
})

t.test('the Bold BI example refuses what its user was not given, a query without any dashboard too', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const code = block('embedAuthorize (Bold BI)', 'js').replace(/^import .*$/gm, '').replace('https://bi.example.com', 'http://127.0.0.1:1')
  const parts = {
    ...gatehouse,
    app,
    process: { env: { BOLDBI_EMBED_SECRET: 's3cret' } },
    signedInUser: async () => ({ email: 'ann@example.com', region: 'EU', dashboards: ['own'] })
  }
  await new AsyncFunction(...Object.keys(parts), code)(...Object.values(parts))
  const ask = async (query: string) => (await app.inject({
    method: 'POST',
    url: '/authorize',
    payload: { dashboardServerApiUrl: 'http://127.0.0.1:1/bi/api/site/site1', embedQuerString: `embed_nonce=${randomUUID()}&${query}` }
  })).json().Message
  for (const query of ['embed_dashboard_id=other', 'embed_dashboard_ids=own,other', 'embed_datasource_id=any', 'pinboard_name=any', 'embed_mode=view']) {
    t.equal(await ask(query), 'This is not allowed', query)
  }
  t.equal(await ask('embed_dashboard_id=own'), 'The upstream service gave no usable answer', 'past every check of ours')
})
