import t from 'tap'
import type { Test } from 'tap'

import { adminApp } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'

const DAY = 86_400_000

async function setUp (t: Test, options: Parameters<typeof adminApp>[1] = {}) {
  const admin = await adminApp(t, options)
  const owner = await caller(admin)
  const source = (await owner.send('POST', '/sources', { name: 'Shop', domains: ['shop.example.com'] })).json()
  const path = `/sources/${source.id}/keys`
  return { admin, owner, source, path, resolve: (key: string) => admin.store.sources.resolve(key) }
}

t.test('the list contains the own key of a source', async (t) => {
  const { owner, source, path } = await setUp(t)
  const reply = await owner.get(path)
  t.equal(reply.statusCode, 200)
  const { data: [{ id, ...own }, ...others] } = reply.json()
  t.same(others, [])
  t.match(id, /^pk_[0-9A-Za-z]{24}$/)
  t.same(own, {
    pipeline_key: source.pipeline_key,
    name: null,
    domains: null,
    enabled: true,
    expires_at: null,
    last_used_at: null,
    created_at: source.created_at,
    previous: null
  })
  t.same((await owner.get(`${path}/${id}`)).json(), { id, ...own })
})

t.test('a named key is created, read, listed and resolves to the source', async (t) => {
  const { admin, owner, source, path, resolve } = await setUp(t)
  const expires_at = new Date(admin.clock.now + DAY).toISOString()
  const body = { name: 'Blog', domains: ['blog.example.com'], expires_at }
  const reply = await owner.send('POST', path, body)
  t.equal(reply.statusCode, 201)
  const { id, pipeline_key, created_at, ...rest } = reply.json()
  t.match(pipeline_key, /^dk_live_[0-9A-Za-z]{32}$/)
  t.equal(created_at, new Date(admin.clock.now).toISOString())
  t.same(rest, { ...body, enabled: true, last_used_at: null, previous: null })
  t.same((await owner.get(`${path}/${id}`)).json(), reply.json())
  t.same((await owner.get(path)).json().data[1], reply.json())
  t.equal((await resolve(pipeline_key))?.source.id, source.id)
  const plain = (await owner.send('POST', path, { name: 'App' })).json()
  t.match(plain, { name: 'App', domains: null, enabled: true, expires_at: null })
})

t.test('a named key may bring its value, which has the prefix of the environment', async (t) => {
  const { owner, path, resolve, source } = await setUp(t)
  const brought = 'dk_live_brought_from_elsewhere'
  t.equal((await owner.send('POST', path, { name: 'Moved', pipeline_key: brought })).statusCode, 201)
  t.equal((await resolve(brought))?.source.id, source.id)
  const taken = await owner.send('POST', path, { name: 'Again', pipeline_key: brought })
  t.equal(taken.statusCode, 409)
  t.match(taken.json().error, { code: 'CONFLICT', message: 'This pipeline key is taken' })
  for (const pipeline_key of ['dk_test_brought_from_elsewhere', 'dk_live_', 'key']) {
    const refused = await owner.send('POST', path, { name: 'Other', pipeline_key })
    t.equal(refused.statusCode, 400, pipeline_key)
    t.match(refused.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/pipeline_key' }] })
  }
})

t.test('an invalid body of a key is 400 and names the field', async (t) => {
  const { admin, owner, path } = await setUp(t)
  const { id } = (await owner.send('POST', path, { name: 'Blog' })).json()
  const past = new Date(admin.clock.now - 1).toISOString()
  for (
    const [body, field] of [
      [{ name: '' }, '/name'],
      [{ name: 'a\u0000' }, '/name'],
      [{ name: 5 }, '/name'],
      [{ name: 'x', domains: ['https://'] }, '/domains/0'],
      [{ name: 'x', domains: ['shop.example.com', '*'] }, '/domains/1'],
      [{ name: 'x', domains: 'shop.example.com' }, '/domains'],
      [{ name: 'x', enabled: 'yes' }, '/enabled'],
      [{ name: 'x', expires_at: past }, '/expires_at'],
      [{ name: 'x', expires_at: 'soon' }, '/expires_at'],
      [{ name: 'x', expires_at: '2030-12-31T23:59:60Z' }, '/expires_at'],
      [{ name: 'x', expires_at: 5 }, '/expires_at']
    ] as const
  ) {
    for (const reply of [await owner.send('POST', path, body), await owner.send('PATCH', `${path}/${id}`, body)]) {
      t.equal(reply.statusCode, 400, JSON.stringify(body))
      t.match(reply.json().error, { code: 'INVALID_REQUEST', details: [{ path: field }] })
    }
  }
  for (const body of [{}, { unknown: 1 }, { id: 'x' }, { pipeline_key: 'dk_live_abc123' }]) {
    t.equal((await owner.send('PATCH', `${path}/${id}`, body)).statusCode, 400, JSON.stringify(body))
  }
  t.equal((await owner.send('POST', path, {})).statusCode, 400)
  t.equal((await owner.get(path)).json().data.length, 2)
})

t.test('a named key is changed, disabled and deleted', async (t) => {
  const { owner, path, resolve } = await setUp(t)
  const { id, pipeline_key } = (await owner.send('POST', path, { name: 'Blog' })).json()
  const changed = await owner.send('PATCH', `${path}/${id}`, { name: 'Journal', domains: ['*.example.org'] })
  t.equal(changed.statusCode, 200)
  t.match(changed.json(), { id, name: 'Journal', domains: ['*.example.org'], enabled: true })
  t.same((await resolve(pipeline_key))?.source.domains, ['*.example.org'])
  t.equal((await owner.send('PATCH', `${path}/${id}`, { enabled: false })).json().enabled, false)
  t.equal(await resolve(pipeline_key), null)
  t.equal((await owner.send('DELETE', `${path}/${id}`)).statusCode, 204)
  t.equal((await owner.get(`${path}/${id}`)).statusCode, 404)
  t.equal((await owner.send('DELETE', `${path}/${id}`)).statusCode, 404)
})

t.test('a rotated key shows its previous value until the overlap ends', async (t) => {
  const { admin, owner, path, resolve } = await setUp(t)
  const key = (await owner.send('POST', path, { name: 'Blog' })).json()
  const rotated = await owner.send('POST', `${path}/${key.id}/rotate`, { overlap_seconds: 60 })
  t.equal(rotated.statusCode, 200)
  const { pipeline_key, previous, ...rest } = rotated.json()
  const { pipeline_key: old, previous: _none, ...before } = key
  t.same(rest, before)
  t.not(pipeline_key, old)
  const expires_at = new Date(admin.clock.now + 60_000).toISOString()
  t.same(previous, { pipeline_key: old, expires_at, last_used_at: null })
  t.not(await resolve(old), null)
  admin.clock.now += 60_000
  t.equal(await resolve(old), null)
  t.equal((await owner.get(`${path}/${key.id}`)).json().previous, null)
  t.equal((await owner.send('POST', `${path}/${key.id}/rotate`)).json().previous, null, 'no overlap by default')
  t.equal(await resolve(pipeline_key), null)
})

t.test("the source's own key is rotated by its id, and is neither changed nor deleted", async (t) => {
  const { owner, source, path, resolve } = await setUp(t)
  const [{ id }] = (await owner.get(path)).json().data
  for (const reply of [await owner.send('PATCH', `${path}/${id}`, { enabled: false }),
    await owner.send('DELETE', `${path}/${id}`)]) {
    t.equal(reply.statusCode, 409)
    t.equal(reply.json().error.code, 'CONFLICT')
  }
  t.not(await resolve(source.pipeline_key), null)
  const rotated = (await owner.send('POST', `${path}/${id}/rotate`)).json()
  t.equal(rotated.id, id)
  t.equal((await owner.get(`/sources/${source.id}`)).json().pipeline_key, rotated.pipeline_key)
  t.equal(await resolve(source.pipeline_key), null)
})

t.test('a change of the environment deletes the named keys and replaces the own key', async (t) => {
  const { owner, source, path, resolve } = await setUp(t)
  const { pipeline_key } = (await owner.send('POST', path, { name: 'Blog' })).json()
  t.equal((await owner.send('PATCH', `/sources/${source.id}`, { environment: 'test' })).statusCode, 200)
  t.equal(await resolve(pipeline_key), null)
  const { data } = (await owner.get(path)).json()
  t.equal(data.length, 1)
  t.match(data[0].pipeline_key, /^dk_test_/)
  t.match((await owner.send('POST', path, { name: 'Blog' })).json().pipeline_key, /^dk_test_/)
})

t.test('a source has at most the number of named keys that the option allows', async (t) => {
  const { owner, path } = await setUp(t, { api: { quotas: { keys: 2 } } })
  const create = async (name: string) => (await owner.send('POST', path, { name })).statusCode
  t.same([await create('a'), await create('b'), await create('c')], [201, 201, 409])
  const taken = await owner.send('POST', path, { name: 'a' })
  t.match(taken.json().error, { code: 'CONFLICT', message: 'Another key of the source has this name' })
})

t.test('by default a source has at most 20 named keys', async (t) => {
  const { owner, path } = await setUp(t)
  const statuses: number[] = []
  for (let at = 0; at < 21; at++) statuses.push((await owner.send('POST', path, { name: `Key ${at}` })).statusCode)
  t.same(statuses, [...Array<number>(20).fill(201), 409])
})

t.test('keys of another organisation are 404', async (t) => {
  const { admin, owner, path } = await setUp(t)
  const { id } = (await owner.send('POST', path, { name: 'Blog' })).json()
  const other = await caller(admin, 'owner', 'other')
  for (const reply of [await other.get(path), await other.get(`${path}/${id}`),
    await other.send('POST', path, { name: 'Mine' }), await other.send('PATCH', `${path}/${id}`, { enabled: false }),
    await other.send('POST', `${path}/${id}/rotate`), await other.send('DELETE', `${path}/${id}`)]) {
    t.equal(reply.statusCode, 404)
    t.equal(reply.json().error.code, 'NOT_FOUND')
  }
  t.equal((await owner.get(path)).json().data.length, 2)
})

t.test('the audit log has every change of a key, without its value', async (t) => {
  const { admin, owner, source, path } = await setUp(t)
  const { id, pipeline_key } = (await owner.send('POST', path, { name: 'Blog' })).json()
  await owner.send('PATCH', `${path}/${id}`, { enabled: false })
  const rotated = (await owner.send('POST', `${path}/${id}/rotate`, { overlap_seconds: 5 })).json()
  await owner.send('DELETE', `${path}/${id}`)
  const trail = (await admin.audited('source.key_deleted')).filter(({ action }) => action.startsWith('source.key_'))
  t.same(trail.map(({ action, resourceId, changes }) => [action, resourceId, changes]), [
    ['source.key_deleted', source.id, { key_id: id, name: 'Blog' }],
    ['source.key_rotated', source.id, { key_id: id, name: 'Blog', overlap_seconds: 5 }],
    ['source.key_updated', source.id, { key_id: id, enabled: { from: true, to: false } }],
    ['source.key_created', source.id, { key_id: id, name: 'Blog', domains: null, enabled: true, expires_at: null }]
  ])
  const log = JSON.stringify(trail)
  t.notOk(log.includes(pipeline_key) || log.includes(rotated.pipeline_key))
})
