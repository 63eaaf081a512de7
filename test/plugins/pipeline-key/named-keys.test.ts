import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import pipelineKey from '../../../plugins/pipeline-key/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { aSourceKey } from '../../../conformance/token-store/fixtures.js'
import ingestion from '../../../routes/ingestion/index.js'
import type { NewSourceKey } from '../../../contracts/token-store/index.js'
import { backend } from '../../helpers/backend.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const BLOG = 'https://blog.example.com'

async function setUp (t: Test) {
  const { store } = await backend(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store, sweepEvery: 0 })
  await app.register(pipelineKey)
  app.get('/x', { config: { gatehouse: { pipelineKey: true } } }, async ({ source }) => ({ id: source?.id ?? null }))
  const made = await makeSource(store)
  const { orgId, id } = made.source
  async function addKey (fields: Partial<NewSourceKey> = {}) {
    const key = await store.sourceKeys.create(orgId, id, aSourceKey(fields))
    if (key === null) throw new Error('expected a key')
    return key
  }
  const get = (key: string, origin?: string) =>
    app.inject({
      url: '/x', headers: { authorization: `Bearer ${key}`, ...origin === undefined ? {} : { origin } }
    })
  return { app, store, ...made, orgId, id, addKey, get }
}

t.test('a named key is accepted as a key of its source', async (t) => {
  const { get, addKey, id, key } = await setUp(t)
  const named = await addKey()
  for (const accepted of [key, named.pipelineKey]) {
    const response = await get(accepted, SHOP)
    t.equal(response.statusCode, 200)
    t.same(response.json(), { id })
    t.equal(response.headers['access-control-allow-origin'], SHOP)
  }
})

t.test('a named key with its own domains accepts only those, and the other keys only those of the source', async (t) => {
  const { get, addKey, key, store, orgId, id } = await setUp(t)
  await store.sources.update(orgId, id, { allowNullOrigin: true })
  const blog = await addKey({ domains: [BLOG] })
  const statuses = async (key: string) =>
    await Promise.all([SHOP, BLOG, 'null', undefined].map(async (origin) => (await get(key, origin)).statusCode))
  t.same(await statuses(blog.pipelineKey), [403, 200, 403, 200])
  t.same(await statuses(key), [200, 403, 200, 200])
  const refused = await get(blog.pipelineKey, SHOP)
  t.equal(refused.json().error.code, 'ORIGIN_NOT_ALLOWED')
  t.equal(refused.headers['access-control-allow-origin'], undefined)
})

t.test('disabled, expired and deleted keys get the response of an unknown key, byte for byte', async (t) => {
  const { get, addKey, store, orgId, id } = await setUp(t)
  const [disabled, deleted] = [await addKey({ enabled: false }), await addKey()]
  const expired = await addKey({ expiresAt: Date.now() - 1 })
  await store.sourceKeys.delete(orgId, id, deleted.id)
  const seen = new Set<string>()
  for (const key of ['dk_live_unknown0unknown0', disabled.pipelineKey, expired.pipelineKey, deleted.pipelineKey]) {
    for (const origin of [undefined, SHOP, BLOG]) {
      const { statusCode, headers, body } = await get(key, origin)
      t.equal(statusCode, 401)
      t.equal(JSON.parse(body).error.code, 'INVALID_PIPELINE_KEY')
      const { date: _date, 'x-request-id': _id, ...rest } = headers
      seen.add(JSON.stringify([origin, rest, body]))
    }
  }
  t.equal(seen.size, 3, 'one response per origin')
})

t.test('a preflight from a domain of a named key is allowed while the key works', async (t) => {
  const { store, addKey, orgId, id } = await setUp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: { ...store, close: async () => {} }, sweepEvery: 0 })
  await app.register(ingestion, { collector: false })
  const preflight = async () => {
    const headers = { origin: BLOG, 'access-control-request-method': 'POST' }
    const response = await app.inject({ method: 'OPTIONS', url: '/v1/t', headers })
    return [response.statusCode, response.headers['access-control-allow-origin']]
  }
  t.same(await preflight(), [403, undefined])
  const { id: keyId } = await addKey({ domains: [BLOG] })
  t.same(await preflight(), [204, BLOG])
  await store.sourceKeys.update(orgId, id, keyId, { enabled: false })
  t.same(await preflight(), [403, undefined])
})

t.test('a key that is disabled after it was cached is refused at once, and accepted again when enabled', async (t) => {
  const { get, addKey, store, orgId, id } = await setUp(t)
  const { id: keyId, pipelineKey } = await addKey()
  t.equal((await get(pipelineKey)).statusCode, 200)
  t.equal((await get(pipelineKey)).statusCode, 200)
  await store.sourceKeys.update(orgId, id, keyId, { enabled: false })
  t.equal((await get(pipelineKey)).statusCode, 401)
  await store.sourceKeys.update(orgId, id, keyId, { enabled: true })
  t.equal((await get(pipelineKey)).statusCode, 200)
})

t.test('the last use of each accepted key is stored in one write, without a write per request', async (t) => {
  const { app, get, addKey, store, orgId, id, key } = await setUp(t)
  const writes: Array<ReadonlyArray<{ pipelineKey: string, at: number }>> = []
  const { touch } = store.sourceKeys
  store.sourceKeys.touch = async (uses) => {
    writes.push(uses)
    await touch.call(store.sourceKeys, uses)
  }
  const named = await addKey()
  const unused = await addKey()
  const before = Date.now()
  for (let at = 0; at < 50; at++) {
    await get(key)
    await get(named.pipelineKey)
    await get(unused.pipelineKey, BLOG)
    await get('dk_live_unknown0unknown0')
  }
  await app.close()
  t.equal(writes.length, 1)
  t.same(writes[0]?.map(({ pipelineKey }) => pipelineKey), [key, named.pipelineKey])
  const uses = (await store.sourceKeys.list(orgId, id))?.map(({ id, lastUsedAt }) => [id, lastUsedAt])
  const lastUse = (keyId: string) => uses?.find(([id]) => id === keyId)?.[1]
  t.ok(Number(lastUse(named.id)) >= before)
  t.equal(lastUse(unused.id), null, 'a refused request is no use')
})

t.test('a use that cannot be stored fails no request', async (t) => {
  const { app, get, store, key } = await setUp(t)
  let failures = 0
  store.sourceKeys.touch = async () => {
    failures++
    throw new Error('no disk')
  }
  t.equal((await get(key)).statusCode, 200)
  await app.close()
  t.equal(failures, 1)
})
