import Fastify from 'fastify'
import type { FastifyInstance, FastifySchema } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'

import captcha from '../../../plugins/captcha/index.js'
import csrf from '../../../plugins/csrf/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import tokenStore from '../../../plugins/token-store/index.js'

const KEY = 'altcha-k3y-0123456789-abcdefghijklmnopq'
const OWN = { 'sec-fetch-site': 'same-origin' }

const addCaptcha = async (app: FastifyInstance) => {
  await app.register(captcha, { provider: 'altcha', hmacKey: KEY, cost: 10, maxTries: 10, global: true })
}
const addCsrf = async (app: FastifyInstance) => {
  await app.register(csrf, { key: KEY, sessionOf: () => 'ann', tokenPath: '/csrf-token', global: true })
}
type Add = typeof addCsrf

const ORDERS: Record<string, (app: FastifyInstance) => Promise<void>> = {
  'the captcha first': async (app) => inTurn(app, addCaptcha, addCsrf),
  'the CSRF guard first': async (app) => inTurn(app, addCsrf, addCaptcha),
  'the captcha in a separate scope, then the CSRF guard around it': async (app) => {
    await app.register(async (scope) => addCaptcha(scope))
    await addCsrf(app)
  },
  'the CSRF guard in a separate scope, then the captcha around it': async (app) => {
    await app.register(async (scope) => addCsrf(scope))
    await addCaptcha(app)
  }
}

async function inTurn (app: FastifyInstance, ...plugins: Add[]): Promise<void> {
  for (const add of plugins) await add(app)
}

async function appOf (t: Test, add: Add): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  // Guards in different scopes share one store.
  await app.register(tokenStore, { store: memoryStore() })
  await add(app)
  await app.ready()
  return app
}

for (const [order, add] of Object.entries(ORDERS)) {
  t.test(`both guards can be global, and neither guards the token route of the other: ${order}`, async (t) => {
    const app = await appOf(t, add)
    t.equal((await app.inject({ url: '/csrf-token', headers: OWN })).statusCode, 200)
    t.equal((await app.inject({ url: '/captcha/challenge', headers: OWN })).statusCode, 200)
  })
}

t.test('a request needs both the captcha and the CSRF token', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore() })
  await inTurn(app, addCsrf, addCaptcha)
  app.post('/x', async () => ({ ok: true }))
  const { cookies: [cookie], body } = await app.inject({ url: '/csrf-token', headers: OWN })
  const token = { 'x-csrf-token': JSON.parse(body).token, cookie: `${cookie?.name}=${cookie?.value}` }
  const challenge = (await app.inject('/captcha/challenge')).json()
  const solved = {
    'x-captcha-token': Buffer.from(
      JSON.stringify({ challenge, solution: await solveChallenge({ challenge, deriveKey }) })
    ).toString('base64')
  }
  const outcome = async (headers: Record<string, string>) => {
    const response = await app.inject({ method: 'POST', url: '/x', headers: { ...OWN, ...headers } })
    return response.statusCode === 200 ? 'passes' : response.json().error.code
  }
  t.equal(await outcome(token), 'CAPTCHA_FAILED')
  t.equal(await outcome(solved), 'CSRF_FAILED')
  t.equal(await outcome({ ...token, ...solved }), 'passes')
})

t.test('each guard starts without the other, and its token route is not marked with a security scheme', async (t) => {
  for (
    const [add, url] of [[addCaptcha, '/captcha/challenge'], [addCsrf, '/csrf-token'], [
      async (app) => inTurn(app, addCsrf, addCaptcha),
      '/csrf-token'
    ]] as Array<[Add, string]>
  ) {
    const schemas: Array<FastifySchema & { security?: unknown }> = []
    const app = await appOf(t, async (app) => {
      app.addHook('onRoute', (route) => {
        if (route.url === url) schemas.push(route.schema ?? {})
      })
      await add(app)
    })
    t.equal((await app.inject({ url, headers: OWN })).statusCode, 200)
    t.same(schemas.map(({ security }) => security), [undefined])
  }
})
