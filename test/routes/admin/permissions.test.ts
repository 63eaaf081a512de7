import { readFileSync } from 'node:fs'

import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../../plugins/event-sink/index.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import { adminApp } from '../../helpers/admin.js'
import { caller } from '../../helpers/admin-caller.js'
import type { Caller } from '../../helpers/admin-caller.js'
import { collectAdminRoutes, permissionsPage, rolesFor } from '../../helpers/admin-routes.js'
import type { AdminRoute } from '../../helpers/admin-routes.js'

const ADMIN_FIELDS = {
  environment: 'test',
  require_signature: 'never',
  require_timestamp: false,
  allow_any_origin: true,
  daily_quota: 5,
  monthly_quota: 50,
  allow_null_origin: true
}
const IMPORTED = { pipeline_key: 'dk_live_Ab3Ab3Ab3Ab3', server_secret: 'q7Ty2Kd9Wm4xZp3L' }

async function setUp (t: Test) {
  let routes: AdminRoute[] = []
  const admin = await adminApp(t, {
    before: async (app, sink) => {
      await app.register(eventSink, { sink })
      routes = collectAdminRoutes(app)
    }
  })
  const owner = await caller(admin, 'owner')
  const { id, pipeline_key: key } = (await owner.send('POST', '/sources', { name: 'Shop' })).json()
  const { id: wid } =
    (await owner.send('POST', `/sources/${id}/webhooks`, { provider: 'custom', custom: { header: 'x-signature' } }))
      .json()
  const state =
    async () => [(await owner.get('/sources')).body, (await owner.get(`/sources/${id}/webhooks`)).body,
      (await owner.get('/embeds/revocations')).body]
  const pathOf = (path: string) => path.replace(':id', id).replace(':wid', wid)
  return { admin, owner, routes, id: String(id), wid: String(wid), key: String(key), state, pathOf }
}

t.test('docs/permissions.md matches the routes', async (t) => {
  t.equal(
    readFileSync(new URL('../../../docs/permissions.md', import.meta.url), 'utf8'),
    await permissionsPage(),
    'run npm run docs'
  )
})

t.test('an editor changes neither the trust settings of a source nor its key, and a refused request changes ' +
  'nothing', async (t) => {
  const { admin, owner, id, key, state } = await setUp(t)
  const editor = await caller(admin, 'editor')
  const before = await state()
  for (const [field, value] of Object.entries(ADMIN_FIELDS)) {
    for (const body of [{ [field]: value }, { name: 'Mine', [field]: value }]) {
      const reply = await editor.send('PATCH', `/sources/${id}`, body)
      t.equal(reply.statusCode, 403, field)
      t.match(reply.json().error, { code: 'FORBIDDEN', message: `Only owner and admin may send "${field}"` })
    }
  }
  for (const [field, value] of Object.entries({ ...ADMIN_FIELDS, ...IMPORTED })) {
    t.equal((await editor.send('POST', '/sources', { name: 'Mine', [field]: value })).statusCode, 403, field)
  }
  t.same(await state(), before)
  t.equal((await admin.store.sources.resolve(key))?.source.id, id, 'the key still works')
  t.equal((await owner.send('PATCH', `/sources/${id}`, ADMIN_FIELDS)).statusCode, 200)
  t.equal((await owner.send('POST', '/sources', { name: 'Moved', ...IMPORTED })).statusCode, 201)
})

t.test('an editor changes all other fields of a source and of a webhook', async (t) => {
  const { admin, id, wid } = await setUp(t)
  const editor = await caller(admin, 'editor')
  const settings = {
    name: 'Mine',
    domains: ['shop.example.com'],
    enabled: false,
    rate_limit: 5,
    pixel_types: ['track'],
    bots: 'drop',
    signed_repeats: 'drop'
  }
  t.match((await editor.send('PATCH', `/sources/${id}`, settings)).json(), settings)
  t.equal((await editor.send('POST', '/sources', settings)).statusCode, 201)
  t.match((await editor.send('PATCH', `/sources/${id}/webhooks/${wid}`, { name: 'Mine', enabled: false })).json(), {
    name: 'Mine',
    enabled: false
  })
})

t.test('each role calls each route and sends each field exactly as the permission table allows', async (t) => {
  const { admin, owner, routes, state, pathOf } = await setUp(t)
  const callers = new Map<string, Caller>([['owner', owner]])
  for (const role of ROLES.slice(1)) callers.set(role, await caller(admin, role))
  // The live view does not end, and the routes of /auth/ end or change the session of the caller.
  const guarded = routes.filter(({ demand, path }) =>
    demand !== false && path !== '/events/live' && !path.startsWith('/auth/')
  )
  t.ok(guarded.length > 15)
  for (const route of guarded) {
    const tries = [...route.body.map((field) => ({ field, in: 'body' })),
      ...route.query.map((field) => ({ field, in: 'query' }))]
    for (const role of ROLES.filter((role) => !rolesFor(route).includes(role))) {
      const before = await state()
      t.equal((await send(callers.get(role), route, {}, '')).statusCode, 403, `${role}: ${route.method} ${route.path}`)
      t.same(await state(), before)
    }
    for (const { field, in: place } of tries) {
      for (const role of rolesFor(route)) {
        const before = await state()
        // The schema refuses this value with 400, so that a role that is allowed to send the field does not get 403.
        const reply = place === 'body'
          ? await send(callers.get(role), route, { [field]: [[]] }, '')
          : await send(callers.get(role), route, {}, `?${field}=%00`)
        t.equal(
          reply.statusCode === 403,
          !rolesFor(route, field).includes(role),
          `${role}: ${route.method} ${route.path} ${field}: ${reply.statusCode}`
        )
        t.same(await state(), before)
      }
    }
  }

  async function send (user: Caller | undefined, { method, path }: AdminRoute, body: object, query: string) {
    if (user === undefined) throw new Error('no such role')
    return user.send(method as 'GET', pathOf(path) + query, method === 'GET' || method === 'DELETE' ? undefined : body)
  }
})
