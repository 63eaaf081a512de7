import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import adminGuard, { recheckAdmin } from '../../../plugins/admin-guard/index.js'
import eventSink from '../../../plugins/event-sink/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { NewApiKey } from '../../../contracts/token-store/index.js'
import { generateApiKey } from '../../../signing/api-key.js'
import { sha256Hex } from '../../../signing/digest.js'
import { anApiKey } from '../../../conformance/token-store/fixtures.js'
import { SECRET, adminApp } from '../../helpers/admin.js'
import type { AdminApp, AdminAppOptions } from '../../helpers/admin.js'

const OPEN_TO_KEYS = { config: { gatehouse: { admin: { roles: ROLES, permission: 'reports:read' } } } }

/** The admin API beside a host's own guarded routes. */
async function withHost (t: Test, options: AdminAppOptions = {}) {
  const now = () => admin.clock.now
  const admin: AdminApp = await adminApp(t, {
    ...options,
    before: async (app, sink) => {
      await app.register(eventSink, { sink })
      await app.register(adminGuard, { jwtSecrets: [SECRET], now, tokenRateLimit: { max: 3, timeWindow: 60_000 } })
      app.get('/report', OPEN_TO_KEYS, async ({ admin }) => admin)
      app.get('/people', { config: { gatehouse: { admin: { roles: ROLES } } } }, async () => 'ok')
      app.get('/any', { config: { gatehouse: { admin: true } } }, async () => 'ok')
      app.get('/recheck', OPEN_TO_KEYS, async (request) => recheckAdmin(request))
    }
  })
  return { admin, keyWith: (fields: Partial<NewApiKey> = {}) => makeKey(admin, fields) }
}

async function makeKey ({ store }: AdminApp, fields: Partial<NewApiKey>) {
  const key = generateApiKey()
  const { id } = await store.apiKeys.create(anApiKey({ orgId: 'default', digest: sha256Hex(key), ...fields }))
  return { id, key }
}

t.test('a key is a caller with its id, organisation and role, and without email and session', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const { id, key } = await keyWith({ orgId: 'acme', role: 'viewer', permissions: ['reports:read'] })
  const expected = {
    kind: 'api_key',
    sub: id,
    org_id: 'acme',
    role: 'viewer',
    permissions: ['reports:read'],
    email: null,
    sid: null,
    mfaAt: null,
    hasFactor: false,
    mfaRequired: false,
    providerId: null
  }
  t.same((await admin.get('/report', key)).json(), expected)
  t.same((await admin.get('/recheck', key)).json(), expected)
})

t.test('a key calls only routes with a permission that it has; null means all permissions of the role', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const cases: Array<[string[] | null, string, number]> = [
    [['reports:read'], '/report', 200],
    [null, '/report', 200],
    [['sources:read'], '/report', 403],
    [['reports:rea'], '/report', 403],
    [[], '/report', 403],
    [null, '/people', 403],
    [['reports:read'], '/people', 403],
    [null, '/any', 403],
    [null, '/v1/admin/auth/me', 403],
    [null, '/v1/admin/auth/sessions', 403],
    [['sources:read'], '/v1/admin/sources', 200],
    [['events:read'], '/v1/admin/sources', 403],
    [['audit:read'], '/v1/admin/audit-logs', 200]
  ]
  for (const [permissions, path, status] of cases) {
    const { key } = await keyWith({ permissions, role: 'owner' })
    const reply = await admin.get(path, key)
    t.equal(reply.statusCode, status, `${JSON.stringify(permissions)} ${path}`)
    if (status === 403) t.equal(reply.json().error.code, 'FORBIDDEN')
  }
})

t.test('the role of a key limits its routes and fields as the role of a user does', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const post = (key: string, body: object) => admin.post('/v1/admin/sources', { name: 'Shop', ...body }, key)
  const viewer = await keyWith({ role: 'viewer', permissions: ['sources:write', 'audit:read'] })
  t.equal((await post(viewer.key, {})).statusCode, 403)
  t.equal((await admin.get('/v1/admin/audit-logs', viewer.key)).statusCode, 403)
  const editor = await keyWith({ role: 'editor', permissions: ['sources:write'] })
  t.equal((await post(editor.key, {})).statusCode, 201)
  t.match((await post(editor.key, { allow_any_origin: true })).json().error, {
    code: 'FORBIDDEN',
    message: 'Only owner and admin may send "allow_any_origin"'
  })
})

t.test('the audit log names the key that changed something', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const { id, key } = await keyWith({ role: 'editor', permissions: ['sources:write'] })
  const source = (await admin.post('/v1/admin/sources', { name: 'Shop' }, key)).json()
  const [entry] = await admin.audited('source.created')
  t.match(entry, { action: 'source.created', userId: id, userEmail: null, resourceId: source.id })
})

t.test('a key of one organisation does not see the sources of another', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const mine = await keyWith({ orgId: 'org-a' })
  const theirs = await keyWith({ orgId: 'org-b' })
  const { id } = (await admin.post('/v1/admin/sources', { name: 'Shop' }, theirs.key)).json()
  const read = await admin.get(`/v1/admin/sources/${id}`, mine.key)
  t.same([read.statusCode, read.json().error.code], [404, 'NOT_FOUND'])
  t.same((await admin.get('/v1/admin/sources', mine.key)).json().data, [])
})

t.test('unknown, mistyped, revoked and expired keys, and other credentials, are 401', async (t) => {
  const { admin, keyWith } = await withHost(t, { keys: {} })
  const { id, key } = await keyWith()
  const expired = await keyWith({ expiresAt: admin.clock.now })
  const revoked = await keyWith()
  await admin.store.apiKeys.revoke('default', revoked.id)
  const wrong = [generateApiKey(), expired.key, revoked.key, `${key}a`, key.slice(0, -1), key.toLowerCase(), 'gh_',
    'gh_x.y.z', id, sha256Hex(key), 'dk_live_Ab3Ab3Ab3Ab3']
  for (const token of wrong) {
    const reply = await admin.get('/v1/admin/sources', token)
    t.same([reply.statusCode, reply.json().error.code], [401, 'INVALID_TOKEN'], token)
    t.equal(reply.headers['www-authenticate'], 'Bearer error="invalid_token"')
  }
  for (const options of [{ headers: { 'x-api-key': key } }, { headers: { cookie: `token=${key}` } }, {
    headers: { authorization: key }
  }, { headers: { authorization: `Basic ${key}` } }, { query: { access_token: key } }]) {
    t.equal((await admin.app.inject({ url: '/report', ...options })).statusCode, 401, JSON.stringify(options))
  }
  t.equal((await admin.get('/report', key)).statusCode, 200)
})

t.test('an API key neither refreshes nor ends a session', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const { key } = await keyWith({ role: 'owner' })
  t.equal((await admin.refresh(key)).statusCode, 401)
  t.equal((await admin.post('logout', { refresh_token: key })).statusCode, 401)
  t.equal((await admin.post('logout-all', undefined, key)).statusCode, 403)
  t.equal((await admin.get('/report', key)).statusCode, 200)
})

t.test('guesses of keys are limited per address and audited; a valid key works all the same', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const { key } = await keyWith()
  const statuses: number[] = []
  for (let at = 0; at < 5; at++) {
    statuses.push((await admin.get('/report', at % 2 === 0 ? generateApiKey() : 'gh_guess')).statusCode)
  }
  t.same(statuses, [401, 401, 401, 429, 429])
  t.equal((await admin.get('/report', key)).statusCode, 200)
  const [entry] = await admin.audited('auth.token_refused')
  t.match(entry, { action: 'auth.token_refused', userId: null, changes: { token: 'api_key' } })
})

t.test('many different guesses do not all reach the store', async (t) => {
  const store = memoryStore()
  const { resolve } = store.apiKeys
  let lookUps = 0
  store.apiKeys.resolve = (digest) => {
    lookUps++
    return resolve.call(store.apiKeys, digest)
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store, sweepEvery: 0 })
  await app.register(adminGuard, { jwtSecrets: [SECRET], tokenRateLimit: false })
  app.get('/report', OPEN_TO_KEYS, async () => 'ok')
  const call = async (key: string) =>
    (await app.inject({ url: '/report', headers: { authorization: `Bearer ${key}` } })).statusCode
  await call('gh_mistyped')
  t.equal(lookUps, 0, 'a key with a wrong checksum is not looked up')
  const statuses = new Map<number, number>()
  for (let at = 0; at < 510; at++) {
    const status = await call(generateApiKey())
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  t.ok(lookUps <= 505, `${lookUps} look-ups`)
  t.ok((statuses.get(429) ?? 0) >= 5)
})

t.test('the last use of a key is stored once per minute, without a write per request', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const writes: Array<ReadonlyArray<{ id: string, at: number }>> = []
  const { touch } = admin.store.apiKeys
  admin.store.apiKeys.touch = async (uses) => {
    writes.push(uses)
    await touch.call(admin.store.apiKeys, uses)
  }
  const [one, other] = [await keyWith(), await keyWith()]
  const start = admin.clock.now
  for (let at = 0; at < 20; at++) {
    await admin.get('/report', at % 2 === 0 ? one.key : other.key)
    await admin.get('/v1/admin/sources', one.key)
  }
  admin.clock.now += 59_999
  await admin.get('/report', one.key)
  await admin.app.close()
  t.same(writes, [[{ id: one.id, at: start }, { id: other.id, at: start }]])
  t.equal((await admin.store.apiKeys.get('default', one.id))?.lastUsedAt, start)
})

t.test('a use that could not be stored fails no request, and the next use is stored', async (t) => {
  const { admin, keyWith } = await withHost(t)
  const { id, key } = await keyWith()
  const { touch } = admin.store.apiKeys
  const seen = { failures: 0 }
  admin.store.apiKeys.touch = async () => {
    seen.failures++
    throw new Error('no disk')
  }
  t.equal((await admin.get('/report', key)).statusCode, 200)
  while (seen.failures === 0) {
    await sleep(20)
  }
  admin.store.apiKeys.touch = touch.bind(admin.store.apiKeys)
  t.equal((await admin.get('/report', key)).statusCode, 200)
  await admin.app.close()
  t.equal((await admin.store.apiKeys.get('default', id))?.lastUsedAt, admin.clock.now)
})

t.test('a wrong name of a permission stops the start', async (t) => {
  for (const permission of ['', 'reports', 'reports:', ':read', 'Reports:read', 'a:b:c', '*', 5, null, ['a:b']]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tokenStore, { sweepEvery: 0 })
    await app.register(adminGuard, { jwtSecrets: [SECRET] })
    const admin = { roles: ROLES, permission: permission as string }
    app.get('/', { config: { gatehouse: { admin } } }, async () => 'ok')
    await t.rejects(async () => app.ready(), { code: 'INVALID_OPTIONS', message: /config\.gatehouse\.admin/ },
      JSON.stringify(permission))
  }
})
