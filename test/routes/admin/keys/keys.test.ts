import t from 'tap'
import type { Test } from 'tap'

import { ROLES } from '../../../../contracts/token-store/index.js'
import { PERMISSION_NAMES } from '../../../../schemas/admin-keys.js'
import { isApiKey } from '../../../../signing/api-key.js'
import { DAY, adminApp } from '../../../helpers/admin.js'
import type { AdminAppOptions } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { logReader } from '../../../helpers/log-reader.js'

async function withKeys (t: Test, options: AdminAppOptions = {}) {
  const admin = await adminApp(t, { keys: {}, ...options })
  const owner = await caller(admin)
  const status = async (key: string, path = '/sources') =>
    (await admin.app.inject({ url: `/v1/admin${path}`, headers: { authorization: `Bearer ${key}` } })).statusCode
  const create = async (body: object = {}) =>
    (await owner.send('POST', '/keys', { name: 'Pipeline', role: 'editor', ...body })).json()
  return { admin, owner, status, create }
}

t.test('a created key is in this response only; later responses have its prefix', async (t) => {
  const { admin, owner, status } = await withKeys(t)
  const reply = await owner.send('POST', '/keys', {
    name: 'Pipeline',
    role: 'editor',
    permissions: ['sources:read', 'sources:write']
  })
  t.equal(reply.statusCode, 201)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { key, ...item } = reply.json()
  t.ok(isApiKey(key))
  t.match(item.id, /^key_[0-9A-Za-z]{24}$/)
  t.same(item, {
    id: item.id,
    name: 'Pipeline',
    prefix: key.slice(0, 11),
    role: 'editor',
    permissions: ['sources:read', 'sources:write'],
    expires_at: null,
    last_used_at: null,
    created_by: owner.userId,
    created_at: new Date(admin.clock.now).toISOString()
  })
  t.same((await owner.get(`/keys/${item.id}`)).json(), item)
  t.same((await owner.get('/keys')).json(), { data: [item], next_cursor: null, has_more: false })
  for (const body of [(await owner.get('/keys')).body, (await owner.get(`/keys/${item.id}`)).body]) {
    t.notOk(body.includes(key.slice(0, 12)))
  }
  t.equal(await status(key), 200)
})

t.test('a key expires after days, at a time, or never', async (t) => {
  const { admin, status, create } = await withKeys(t)
  const { now } = admin.clock
  const byDays = await create({ expires_in_days: 2 })
  const byTime = await create({ expires_at: new Date(now + DAY).toISOString() })
  const endless = await create()
  t.same([byDays, byTime, endless].map(({ expires_at }) => expires_at), [new Date(now + 2 * DAY).toISOString(),
    new Date(now + DAY).toISOString(), null])
  const statuses = async () => Promise.all([byDays, byTime, endless].map(({ key }) => status(key)))
  t.same(await statuses(), [200, 200, 200])
  admin.clock.now = now + DAY
  t.same(await statuses(), [200, 401, 200])
  admin.clock.now = now + 2 * DAY
  t.same(await statuses(), [401, 401, 200])
})

t.test('a new key with a wrong, missing or unknown property is 400 and is not created', async (t) => {
  const { owner } = await withKeys(t)
  const good = { name: 'Pipeline', role: 'viewer' }
  const cases: Array<[object, string?]> = [
    [{}, '/name'],
    [{ name: 'Pipeline' }, '/role'],
    [{ ...good, name: '' }, '/name'],
    [{ ...good, name: 'a\nb' }, '/name'],
    [{ ...good, name: 'x'.repeat(201) }, '/name'],
    [{ ...good, role: 'root' }, '/role'],
    [{ ...good, role: ['owner'] }, '/role'],
    [{ ...good, permissions: [] }, '/permissions'],
    [{ ...good, permissions: null }, '/permissions'],
    [{ ...good, permissions: 'sources:read' }, '/permissions'],
    [{ ...good, permissions: ['sources:read', 'sources:read'] }, '/permissions'],
    [{ ...good, permissions: ['sources:read', 'keys:write'] }, '/permissions/1'],
    [{ ...good, permissions: ['*'] }, '/permissions/0'],
    [{ ...good, permissions: ['sources:*'] }, '/permissions/0'],
    [{ ...good, expires_in_days: 0 }, '/expires_in_days'],
    [{ ...good, expires_in_days: 1.5 }, '/expires_in_days'],
    [{ ...good, expires_in_days: '1' }, '/expires_in_days'],
    [{ ...good, expires_in_days: 3_651 }, '/expires_in_days'],
    [{ ...good, expires_at: 'tomorrow' }, '/expires_at'],
    [{ ...good, expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    [{ ...good, expires_at: '2016-12-31T23:59:60Z' }, '/expires_at'],
    [{ ...good, expires_at: '2999-01-01T00:00:00Z', expires_in_days: 1 }, '/expires_at'],
    [{ ...good, id: 'key_1' }],
    [{ ...good, org_id: 'org-b' }],
    [{ ...good, key: 'gh_mine' }],
    [{ ...good, digest: 'x' }],
    [{ ...good, created_by: 'x' }]
  ]
  for (const [body, path] of cases) {
    const reply = await owner.send('POST', '/keys', body)
    t.equal(reply.statusCode, 400, JSON.stringify(body))
    t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: path ?? String }] }, JSON.stringify(body))
  }
  t.same((await owner.get('/keys')).json().data, [])
})

t.test('a key of a role above the role of the caller cannot be created, rotated or renamed', async (t) => {
  const { admin, owner, status, create } = await withKeys(t)
  const user = await caller(admin, 'admin')
  for (const role of ROLES) {
    const may = role !== 'owner'
    const reply = await user.send('POST', '/keys', { name: 'Mine', role })
    t.equal(reply.statusCode, may ? 201 : 403, role)
    if (!may) t.match(reply.json().error, { code: 'FORBIDDEN', message: 'The role of the API key is above yours' })
  }
  const { id, key, ...item } = await create({ role: 'owner' })
  for (const reply of [await user.send('POST', `/keys/${id}/rotate`), await user.send('PATCH', `/keys/${id}`, {
    name: 'Mine'
  })]) {
    t.same([reply.statusCode, reply.json().error.code], [403, 'FORBIDDEN'])
    t.notMatch(reply.body, /gh_/)
  }
  t.same((await owner.get(`/keys/${id}`)).json(), { id, ...item })
  t.equal(await status(key), 200)
  t.equal((await user.send('DELETE', `/keys/${id}`)).statusCode, 204, 'an admin may revoke it')
  t.equal(await status(key), 401)
})

t.test('a rotated key has the same id, and its previous key works until the overlap ends', async (t) => {
  const { admin, owner, status, create } = await withKeys(t)
  const { id, key: first, prefix: _prefix, ...item } = await create({ permissions: ['sources:read'] })
  const rotate = async (body?: object) => owner.send('POST', `/keys/${id}/rotate`, body)
  const reply = await rotate({ overlap_seconds: 60 })
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { key: second, prefix, ...rotated } = reply.json()
  t.ok(isApiKey(second))
  t.equal(prefix, second.slice(0, 11))
  t.same(rotated, { id, ...item })
  t.same([await status(first), await status(second)], [200, 200])
  admin.clock.now += 60_000
  t.same([await status(first), await status(second)], [401, 200])
  const { key: third } = (await rotate()).json()
  t.same([await status(second), await status(third)], [401, 200])
  for (const body of [{ overlap_seconds: -1 }, { overlap_seconds: 604_801 }, { overlap_seconds: '1' }, { other: 1 }]) {
    t.equal((await rotate(body)).statusCode, 400, JSON.stringify(body))
  }
  t.equal(await status(third), 200)
})

t.test('a patch changes only the name', async (t) => {
  const { owner, create } = await withKeys(t)
  const { key: _key, ...item } = await create()
  const reply = await owner.send('PATCH', `/keys/${item.id}`, { name: 'Renamed' })
  t.same(reply.json(), { ...item, name: 'Renamed' })
  for (const body of [{}, { name: '' }, { role: 'owner' }, { name: 'x', role: 'owner' }, { name: 'x', permissions: null },
    { expires_at: null }]) {
    t.equal((await owner.send('PATCH', `/keys/${item.id}`, body)).statusCode, 400, JSON.stringify(body))
  }
  t.same((await owner.get(`/keys/${item.id}`)).json(), { ...item, name: 'Renamed' })
})

t.test("another organisation's key, an unknown and a malformed id are 404 for every verb", async (t) => {
  const { admin, owner, status, create } = await withKeys(t)
  const stranger = await caller(admin, 'owner', 'org-b')
  const { id, key, ...item } = await create()
  for (const [user, path] of [[stranger, `/keys/${id}`], [owner, '/keys/key_000000000000000000000000'], [owner,
    '/keys/x%00']] as const) {
    for (const reply of [await user.get(path), await user.send('PATCH', path, { name: 'x' }), await user.send('DELETE',
      path), await user.send('POST', `${path}/rotate`)]) {
      t.same([reply.statusCode, reply.json().error.code], [404, 'NOT_FOUND'], path)
    }
  }
  t.same((await stranger.get('/keys')).json().data, [])
  t.same((await owner.get(`/keys/${id}`)).json(), { id, ...item })
  t.equal(await status(key), 200)
})

t.test('an organisation has at most its quota of keys that have not expired', async (t) => {
  const { admin, owner } = await withKeys(t, { keys: { quota: 2 } })
  const create = (body: object = {}) => owner.send('POST', '/keys', { name: 'x', role: 'viewer', ...body })
  await create({ expires_in_days: 1 })
  await create()
  const refused = await create()
  t.same([refused.statusCode, refused.json().error.code], [409, 'CONFLICT'])
  admin.clock.now += DAY
  // The access token of the owner has expired as well.
  const { access_token: token } = await admin.login('owner@default.example.com')
  t.equal((await admin.post('/v1/admin/keys', { name: 'x', role: 'viewer' }, token)).statusCode, 201)
})

t.test('the permissions of the admin API are listed, with those of the app', async (t) => {
  const { owner } = await withKeys(t, { keys: { permissions: ['reports:read', 'sources:read'] } })
  t.same((await owner.get('/permissions')).json(), { data: [...PERMISSION_NAMES, 'reports:read'] })
  t.equal((await owner.send('POST', '/keys', { name: 'x', role: 'viewer', permissions: ['reports:read'] })).statusCode,
    201)
})

t.test('keys are listed page by page, newest first', async (t) => {
  const { owner, create } = await withKeys(t)
  for (let at = 0; at < 5; at++) {
    await create({ name: `k${at}` })
  }
  const first = (await owner.get('/keys?limit=3')).json()
  const second = (await owner.get(`/keys?limit=3&cursor=${first.next_cursor}`)).json()
  t.same([...first.data, ...second.data].map(({ name }: { name: string }) => name), ['k4', 'k3', 'k2', 'k1', 'k0'])
  t.equal((await owner.get('/keys?cursor=x')).statusCode, 400)
})

t.test('each change is audited; no key is in the audit log, in the log or in the store', async (t) => {
  const log = logReader()
  const { admin, owner, create } = await withKeys(t, { server: { logger: { level: 'trace', stream: log.stream } } })
  const { id, key, prefix } = await create({ permissions: ['events:read'], expires_in_days: 1 })
  await owner.send('PATCH', `/keys/${id}`, { name: 'Renamed' })
  const rotated = (await owner.send('POST', `/keys/${id}/rotate`, { overlap_seconds: 5 })).json()
  for (const used of [key, rotated.key, `${key}x`]) {
    await admin.get('/v1/admin/events', used)
  }
  await owner.send('DELETE', `/keys/${id}`)
  const trail = (await admin.audited('key.revoked')).filter(({ resourceId }) => resourceId === id)
  const userId = owner.userId
  t.match(trail, [
    { action: 'key.revoked', userId, resourceType: 'key', changes: { name: 'Renamed', prefix: rotated.prefix } },
    { action: 'key.rotated', userId, changes: { prefix: rotated.prefix, overlap_seconds: 5 } },
    { action: 'key.updated', userId, changes: { name: { from: 'Pipeline', to: 'Renamed' } } },
    {
      action: 'key.created',
      userId,
      changes: { name: 'Pipeline', prefix, role: 'editor', permissions: ['events:read'], expires_at: String }
    }
  ])
  for (const secret of [key, rotated.key]) {
    for (const text of [log.text(), JSON.stringify(await admin.audited('key.revoked'))]) {
      t.notOk(text.includes(secret.slice(0, 14)))
    }
  }
})

t.test('a wrong option stops the start', async (t) => {
  for (const keys of [{ quota: 0 }, { quota: '5' }, { permissions: 'a:b' }, { permissions: ['reports'] }, {
    permissions: ['Reports:read']
  }, { limit: 5 }, { rateLimit: {} }]) {
    await t.rejects(adminApp(t, { keys: keys as object }), { code: 'INVALID_OPTIONS' }, JSON.stringify(keys))
  }
})
