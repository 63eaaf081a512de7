import { createRequire } from 'node:module'

import t from 'tap'

import { generateSecret, signUserReference, verifyWidgetToken } from '../../signing/index.js'
import { exampleFile, isPacked, startProgram } from '../helpers/example.js'
import type { Environment } from '../helpers/example.js'

const ENV = {
  REPORTS_KEY: generateSecret(),
  USER_REFERENCE_KEY: generateSecret(),
  DXFEED_SECRET: generateSecret(),
  DXFEED_ISSUER: 'acme',
  DXFEED_SESSION: 'web'
}

/** Starts the app by fastify-cli, as `npm start` does. Only the example depends on it; without it by `build`. */
async function start (env: Environment = ENV): Promise<string> {
  const app = await exampleFile('autoload', 'app.js')
  const cli = () => [createRequire(app).resolve('fastify-cli/cli.js'), 'start', '-l', 'info', app]
  const build = `const { build } = await import(${JSON.stringify(app)})
    await (await build({ logger: true })).listen({ port: 0 })`
  return (await startProgram(t, isPacked ? cli() : ['--input-type=module', '--eval', build], env)).origin
}

t.test('plugins of one folder guard the routes of the other', async (t) => {
  const origin = await start()
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(origin + path, { headers })
    return { status: response.status, body: await response.json() as { token?: string } }
  }
  t.match(await ask('/reports'), { status: 401, body: { error: { code: 'UNAUTHORIZED' } } })
  t.match(await ask('/reports', { authorization: `Bearer ${generateSecret()}` }), { status: 401 })
  const authorization = `Bearer ${ENV.REPORTS_KEY}`
  t.match(await ask('/reports', { authorization }), { status: 200, body: { reports: ['sales'] } })

  const path = '/widgets/api/generate-token'
  const reference = (key: string) => signUserReference({ sub: 'ann' }, { key, audience: 'gatehouse-embed' })
  t.match(await ask(path), { status: 401, body: { error: { code: 'UNAUTHORIZED' } } })
  t.match(await ask(path, { 'x-user-reference': reference(generateSecret()) }), { status: 401 })
  const { status, body: { token = '' } } = await ask(path, { 'x-user-reference': reference(ENV.USER_REFERENCE_KEY) })
  t.equal(status, 200)
  const rules = { secret: ENV.DXFEED_SECRET, issuer: 'acme', session: 'web', timeUnit: 'ms' } as const
  t.match(verifyWidgetToken(token, rules), { valid: true, payload: { user: 'ann' } })
})

t.test('the example does not start without a key, and the message names the option', async (t) => {
  await t.rejects(start({ ...ENV, REPORTS_KEY: '' }), { message: /proxy-?key: "keys/i })
})
