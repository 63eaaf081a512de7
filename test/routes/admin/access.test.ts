import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import adminGuard from '../../../plugins/admin-guard/index.js'
import eventSink from '../../../plugins/event-sink/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import adminApi from '../../../routes/admin/api/index.js'
import adminAuth from '../../../routes/admin/auth/index.js'
import { PASSWORD, SECRET, adminApp, cheapPasswords } from '../../helpers/admin.js'
import { caller } from '../../helpers/admin-caller.js'
import { logReader } from '../../helpers/log-reader.js'

const SITE = 'https://console.example.com'

/** Every route of the admin API, a valid body, and the lowest role that can call it. */
const ROUTES = [
  ['POST', '/sources', { name: 'x' }, 'editor'],
  ['GET', '/sources', undefined, 'viewer'],
  ['GET', '/sources/:id', undefined, 'viewer'],
  ['PATCH', '/sources/:id', { name: 'y' }, 'editor'],
  ['POST', '/sources/:id/rotate-key', {}, 'admin'],
  ['POST', '/sources/:id/rotate-secret', {}, 'admin'],
  ['POST', '/sources/:id/webhooks', { provider: 'standard' }, 'admin'],
  ['GET', '/sources/:id/webhooks', undefined, 'viewer'],
  ['GET', '/sources/:id/webhooks/:wid', undefined, 'viewer'],
  ['PATCH', '/sources/:id/webhooks/:wid', { name: 'y' }, 'editor'],
  ['POST', '/sources/:id/webhooks/:wid/rotate-secret', {}, 'admin'],
  ['DELETE', '/sources/:id/webhooks/:wid', undefined, 'admin'],
  ['DELETE', '/sources/:id', undefined, 'admin'],
  ['GET', '/events', undefined, 'viewer'],
  ['GET', '/stats', undefined, 'viewer'],
  ['GET', '/notices', undefined, 'admin'],
  ['GET', '/audit-logs', undefined, 'admin']
] as const

async function withEvents (t: Test, options: Parameters<typeof adminApp>[1] = {}) {
  return adminApp(t, {
    ...options,
    before: async (app, sink) => {
      await app.register(eventSink, { sink })
      await options.before?.(app, sink)
    }
  })
}

t.test('the table of roles contains every route of the admin API', async (t) => {
  const routes: string[] = []
  await adminApp(t, {
    before: async (app) => {
      app.addHook('onRoute', ({ method, url }) => {
        // The live view, exports and single events have their own tests.
        if (url.startsWith('/v1/admin/events/')) return
        // The routes of refused events have their own tests.
        if (url.startsWith('/v1/admin/refused-events')) return
        // The routes of named keys have their own tests.
        if (url.includes('/keys')) return
        // The test of a webhook, which needs ingestion, has its own tests.
        if (url.endsWith('/webhooks/:wid/test')) return
        // The routes of embeds have their own tests.
        if (url.startsWith('/v1/admin/embeds')) return
        if (!url.startsWith('/v1/admin/auth/') && method !== 'HEAD' && method !== 'OPTIONS') {
          routes.push(`${String(method)} ${url.replace('/v1/admin', '')}`)
        }
      })
    }
  })
  t.same(routes.sort(), ROUTES.map(([method, path]) => `${method} ${path}`).sort())
})

t.test('each role can call exactly the routes that the table allows, and a refused request changes ' +
  'nothing', async (t) => {
  const admin = await withEvents(t)
  const owner = await caller(admin, 'owner')
  for (const role of ROLES) {
    const user = role === 'owner' ? owner : await caller(admin, role)
    for (const [method, path, body, least] of ROUTES) {
      const { id } = (await owner.send('POST', '/sources', { name: 'x' })).json()
      const { id: wid } = (await owner.send('POST', `/sources/${id}/webhooks`, { provider: 'standard' })).json()
      const state = async () =>
        (await owner.get(`/sources/${id}`)).body + (await owner.get(`/sources/${id}/webhooks`)).body
      const before = await state()
      const reply = await user.send(method, path.replace(':id', id).replace(':wid', wid), body)
      const may = ROLES.indexOf(role) <= ROLES.indexOf(least)
      t.equal(reply.statusCode < 300, may, `${role}: ${method} ${path} is ${reply.statusCode}`)
      t.equal(reply.headers['cache-control'], 'no-store')
      if (may) continue
      t.equal(reply.json().error.code, 'FORBIDDEN')
      t.equal(await state(), before)
    }
  }
  for (const [method, path, body] of ROUTES) {
    const reply = await admin.app.inject({
      method,
      url: `/v1/admin${path.replace(':id', 'x')}`,
      ...body === undefined ? {} : { payload: body }
    })
    t.equal(reply.statusCode, 401, `without a token: ${method} ${path}`)
    t.equal(reply.json().error.code, 'UNAUTHORIZED')
    t.match(reply.headers['www-authenticate'], /^Bearer/)
    t.equal(reply.headers['cache-control'], 'no-store')
  }
})

t.test('a source of another organisation is 404 for every method, in both directions, and is in no list', async (t) => {
  const admin = await withEvents(t)
  const [a, b] = [await caller(admin, 'owner', 'org-a'), await caller(admin, 'owner', 'org-b')]
  for (const [mine, theirs] of [[a, b], [b, a]] as const) {
    const source = (await theirs.send('POST', '/sources', { name: 'theirs' })).json()
    const { id: wid } = (await theirs.send('POST', `/sources/${source.id}/webhooks`, { provider: 'standard' })).json()
    for (const [method, path, body] of ROUTES.filter(([, path]) => path.includes(':id'))) {
      const reply = await mine.send(method, path.replace(':id', source.id).replace(':wid', wid), body)
      t.equal(reply.statusCode, 404, `${method} ${path}`)
      t.equal(reply.json().error.code, 'NOT_FOUND')
    }
    const { server_secret: _secret, ...unchanged } = source
    t.same((await theirs.get(`/sources/${source.id}`)).json(), unchanged)
    t.notMatch((await mine.get('/sources')).body, source.id)
    t.notMatch((await mine.get('/audit-logs')).body, source.id)
    const odd = await mine.get(`/sources/${encodeURIComponent('a\u0000b')}`)
    t.equal(odd.statusCode, 404, 'an invalid id')
  }
})

t.test('the admin API limits requests per user, over all routes, and does not count unauthenticated ' +
  'requests', async (t) => {
  const admin = await withEvents(t, { api: { userRateLimit: { max: 3, timeWindow: 60_000 } } })
  const [ann, bob] = [await caller(admin, 'admin'), await caller(admin, 'owner')]
  for (let i = 0; i < 5; i++) t.equal((await admin.get('/v1/admin/sources')).statusCode, 401)
  const statuses = []
  for (const path of ['/sources', '/events', '/audit-logs', '/sources']) statuses.push((await ann.get(path)).statusCode)
  t.same(statuses, [200, 200, 200, 429], 'one count for all routes')
  t.equal((await bob.get('/sources')).statusCode, 200)
  const limited = await ann.get('/sources')
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.ok(Number(limited.headers['retry-after']) > 0)
})

t.test('without its own secrets the admin API uses the guard of the host, and refuses to start if there is no ' +
  'guard', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { sweepEvery: 0 })
  await t.rejects(async () => app.register(adminApi), {
    code: 'INVALID_OPTIONS',
    message: /admin-api: "jwtSecrets" is missing/
  })
  const second = Fastify()
  t.teardown(() => second.close())
  await second.register(tokenStore, { sweepEvery: 0 })
  await second.register(adminGuard, { jwtSecrets: [SECRET] })
  await t.rejects(async () => second.register(adminApi, { prefix: '/other', accessTtl: 60 }), {
    code: 'INVALID_OPTIONS',
    message: /"accessTtl" belongs/
  })
  const third = Fastify()
  t.teardown(() => third.close())
  await third.register(tokenStore, { sweepEvery: 0 })
  await third.register(adminGuard, { jwtSecrets: [SECRET] })
  await third.register(adminApi)
  t.equal((await third.inject('/v1/admin/sources')).statusCode, 401)
})

t.test("two registrations with different secrets in one app refuse each other's tokens", async (t) => {
  const jwtSecrets = ['Xy3-bN8tKq5_vMd0Rw7Lc2Zp9Hf4Gj6S']
  const { app, addUser, login } = await withEvents(t, {
    before: async (app) => {
      await app.register(adminAuth, { prefix: '/b/auth', jwtSecrets, passwords: await cheapPasswords() })
      await app.register(adminApi, { prefix: '/b', jwtSecrets })
    }
  })
  await addUser('ann@example.com')
  const a = await login('ann@example.com')
  const b =
    (await app.inject({
      method: 'POST',
      url: '/b/auth/login',
      payload: { email: 'ann@example.com', password: PASSWORD }
    })).json()
  const status = async (url: string, token: string) =>
    (await app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode
  t.same([await status('/v1/admin/sources', a.access_token), await status('/b/sources', b.access_token)], [200, 200])
  t.same([await status('/v1/admin/sources', b.access_token), await status('/b/sources', a.access_token)], [401, 401])
  const foreign = await app.inject({
    method: 'POST',
    url: '/b/auth/refresh',
    payload: { refresh_token: a.refresh_token }
  })
  t.equal(foreign.statusCode, 401)
  t.equal(foreign.json().error.code, 'INVALID_REFRESH_TOKEN')
})

t.test('cors allows every method for a listed origin, refuses other origins, and sends no CORS headers without the ' +
  'option', async (t) => {
  const cors = { origins: [SITE] }
  const admin = await withEvents(t, { api: { cors }, auth: { cors } })
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/sources', { name: 'x' })).json()
  const paths = [['DELETE', `/v1/admin/sources/${id}`], ['PATCH', `/v1/admin/sources/${id}`], ['POST',
    '/v1/admin/auth/login'], ['DELETE', '/v1/admin/auth/sessions/x']]
  for (const [method = '', url = ''] of paths) {
    const preflight = await admin.app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin: SITE, 'access-control-request-method': method }
    })
    t.equal(preflight.statusCode, 204, url)
    t.equal(preflight.headers['access-control-allow-origin'], SITE)
    t.match(preflight.headers['access-control-allow-methods'], new RegExp(method))
  }
  const read = (origin: string) =>
    admin.app.inject({ url: '/v1/admin/sources', headers: { origin, authorization: `Bearer ${owner.token}` } })
  t.equal((await read(SITE)).headers['access-control-allow-origin'], SITE)
  const evil = await read('https://evil.test')
  t.equal(evil.statusCode, 403)
  t.equal(evil.json().error.code, 'ORIGIN_NOT_ALLOWED')
  const plain = await caller(await withEvents(t))
  t.equal((await plain.get('/sources')).headers['access-control-allow-origin'], undefined)
})

t.test('no secret, password or token is logged or audited, also when a request fails', async (t) => {
  const log = logReader()
  const admin = await withEvents(t, { server: { logger: { level: 'trace', stream: log.stream } } })
  const owner = await caller(admin)
  const canary = 'canary-c4n4ry-0123456789-abcdef'
  const created = (await owner.send('POST', '/sources', { name: 'x', server_secret: canary })).json()
  const rotated = (await owner.send('POST', `/sources/${created.id}/rotate-secret`, { overlap_seconds: 9 })).json()
  await admin.post('login', { email: 'x@example.com', password: canary })
  await admin.post('login', { email: canary, password: 5 })
  await admin.post('password', { current_password: canary, new_password: canary }, owner.token)
  await admin.refresh(canary)
  await admin.get('me', canary)
  await owner.send('POST', '/sources', { name: canary, server_secret: { a: canary } })
  await admin.audited('source.secret_rotated')
  const trail = JSON.stringify((await owner.get('/audit-logs')).json())
  for (const secret of [canary, rotated.server_secret, owner.token.split('.')[2] ?? '', SECRET]) {
    t.notOk(log.text().includes(secret), 'log')
    t.notOk(trail.includes(secret), 'audit')
  }
})
