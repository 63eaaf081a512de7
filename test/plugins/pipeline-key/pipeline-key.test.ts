import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { UNAVAILABLE } from '../../../lib/errors.js'
import pipelineKey from '../../../plugins/pipeline-key/index.js'
import type { PipelineKeyOptions } from '../../../plugins/pipeline-key/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import type { NewSource, TokenStore } from '../../../contracts/token-store/index.js'
import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { backend } from '../../helpers/backend.js'
import { rawRequest } from '../../helpers/raw-socket.js'
import { makeSource } from '../../helpers/source.js'

async function guarded (
  t: Test,
  options: PipelineKeyOptions = {},
  settings: Partial<NewSource> = {},
  given?: TokenStore
) {
  const store = given ?? (await backend(t)).store
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store })
  await app.register(pipelineKey, options)
  app.get('/x', { config: { gatehouse: { pipelineKey: true } } }, async ({ source }) => ({ id: source?.id ?? null }))
  app.post('/x', { config: { gatehouse: { pipelineKey: true } } }, async ({ source }) => ({ id: source?.id ?? null }))
  app.get(
    '/open',
    { config: { gatehouse: { pipelineKey: false } } },
    async ({ source }) => ({ id: source?.id ?? null })
  )
  app.get('/silent', async ({ source }) => ({ id: source?.id ?? null }))
  return { app, store, ...await makeSource(store, settings) }
}

const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` })
const basic = (credentials: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`
})

async function refused (t: Test, app: FastifyInstance, request: object, name: string): Promise<void> {
  const response = await app.inject({ url: '/x', ...request })
  t.equal(response.statusCode, 401, name)
  t.equal(response.json().error.code, 'INVALID_PIPELINE_KEY', name)
}

t.test('the key of a source is accepted by Bearer, Basic or ?wk=, in one place or in two', async (t) => {
  const { app, key, source } = await guarded(t)
  for (
    const request of [
      { headers: bearer(key) },
      { headers: { authorization: `bearer ${key}` } },
      { headers: basic(`${key}:`) },
      { query: { wk: key } },
      { headers: bearer(key), query: { wk: key } },
      { headers: basic(`${key}:`), query: { wk: key } }
    ]
  ) {
    const response = await app.inject({ url: '/x', ...request })
    t.equal(response.statusCode, 200)
    t.same(response.json(), { id: source.id })
  }
})

t.test('missing, malformed, unknown and disabled keys get the same 401 response', async (t) => {
  const { app, key, store } = await guarded(t)
  const disabled = await makeSource(store, { enabled: false })
  const bodies = new Set<string>()
  const forms: Array<[string, object]> = [
    ['nothing', {}],
    ['an empty header', { headers: { authorization: '' } }],
    ['a scheme alone', { headers: { authorization: 'Bearer' } }],
    ['a scheme and a space', { headers: { authorization: 'Bearer ' } }],
    ['no scheme', { headers: { authorization: key } }],
    ['two spaces', { headers: { authorization: `Bearer  ${key}` } }],
    ['a tab', { headers: { authorization: `Bearer\t${key}` } }],
    ['a list', { headers: { authorization: `Bearer ${key}, Bearer ${key}` } }],
    ['another scheme', { headers: { authorization: `Token ${key}` } }],
    ['Digest', { headers: { authorization: `Digest username="${key}"` } }],
    ['Basic without a colon', { headers: basic(key) }],
    ['Basic with a password', { headers: basic(`${key}:secret`) }],
    ['Basic with the key as password', { headers: basic(`:${key}`) }],
    ['Basic that is no base64', { headers: { authorization: `Basic ${key}` } }],
    ['Bearer with base64', { headers: bearer(Buffer.from(`${key}:`).toString('base64')) }],
    ['one character less', { headers: bearer(key.slice(0, -1)) }],
    ['one character more', { headers: bearer(`${key}a`) }],
    ['the wrong environment', { headers: bearer(key.replace('dk_live_', 'dk_test_')) }],
    ['unknown', { headers: bearer(generatePipelineKey('live')) }],
    ['disabled', { headers: bearer(disabled.key) }],
    ['an empty ?wk=', { query: { wk: '' } }],
    ['a header of another name', { headers: { 'x-api-key': key } }],
    ['another parameter', { query: { writeKey: key } }]
  ]
  for (const [name, request] of forms) {
    await refused(t, app, request, name)
    bodies.add((await app.inject({ url: '/x', ...request })).body)
  }
  t.equal(bodies.size, 1)
})

t.test('a key from another system is accepted in each place', async (t) => {
  const { app, store } = await guarded(t)
  for (const key of ['dk_live_abc123', 'dk_test_xyz-789_', `dk_live_${'x'.repeat(128)}`]) {
    const { source } = await makeSource(store, { pipelineKey: key })
    for (const request of [{ headers: bearer(key) }, { headers: basic(`${key}:`) }, { query: { wk: key } }]) {
      const response = await app.inject({ url: '/x', ...request })
      t.equal(response.statusCode, 200, key)
      t.equal(response.json().id, source.id)
    }
  }
})

t.test('injection, wildcards and unusual bytes in a key are 401', async (t) => {
  const { app } = await guarded(t)
  for (
    const text of [
      'dk_live_*',
      '%',
      `dk_live_${'%'.repeat(32)}`,
      `dk_live_${'_'.repeat(32)}`,
      'dk_live_abc12',
      "' or 1=1--",
      `dk_live_${'*'.repeat(32)}`,
      'dk_live_a\r\nSet-Cookie: x=1',
      'dk_live_\0',
      `dk_live_${'a'.repeat(8_192)}`,
      `dk_live_${'\u0661'.repeat(32)}`,
      `source:dk_live_${'a'.repeat(32)}`,
      `dk_live_${'a'.repeat(31)}:`,
      `dk_live_${'a'.repeat(32)}\n`,
      '__proto__',
      'constructor',
      'toString'
    ]
  ) {
    await refused(t, app, { query: { wk: text } }, JSON.stringify(text.slice(0, 40)))
    await refused(t, app, { headers: basic(`${text}:`) }, JSON.stringify(text.slice(0, 40)))
  }
})

t.test('two different keys in two places are 401, and a key in a cookie or body is ignored', async (t) => {
  const { app, key, store } = await guarded(t)
  const other = await makeSource(store)
  await refused(t, app, { headers: bearer(key), query: { wk: other.key } }, 'Bearer and query')
  await refused(t, app, { headers: basic(`${key}:`), query: { wk: other.key } }, 'Basic and query')
  await refused(t, app, { headers: bearer('nonsense'), query: { wk: key } }, 'a bad header and a good query')
  await refused(t, app, { headers: bearer(key), query: { wk: '' } }, 'a good header and an empty query')
  await refused(t, app, { url: `/x?wk=${key}&wk=${other.key}` }, 'twice in the query')
  await refused(t, app, { url: `/x?wk=${key}&wk=${key}` }, 'twice the same in the query')
  await refused(t, app, { headers: { cookie: `wk=${key}; writeKey=${key}` } }, 'a cookie')
  await refused(t, app, { method: 'POST', payload: { writeKey: key } }, 'a body, on a route without keyInBody')
})

t.test('two Authorization headers are refused in either order', async (t) => {
  const { app, key } = await guarded(t)
  const origin = await app.listen()
  for (const pair of [[key, 'bad'], ['bad', key], [key, key]]) {
    const lines = ['GET /x HTTP/1.1', 'Host: x', 'Connection: close', ...pair.map((text) =>
      `aUtHoRiZaTiOn: Bearer ${text}`
    )]
    const { statusCode, body } = await rawRequest(origin, lines)
    t.equal(statusCode, 401)
    t.match(body, 'INVALID_PIPELINE_KEY')
  }
})

t.test('a key in another letter case is another key', async (t) => {
  const { app, key } = await guarded(t)
  await refused(t, app, { headers: bearer(key.toUpperCase()) }, 'upper')
  await refused(t, app, { headers: bearer(key.toLowerCase()) }, 'lower')
})

t.test('a rotated key is refused, and its successor is accepted', async (t) => {
  const { app, store, source, key } = await guarded(t)
  t.equal((await app.inject({ url: '/x', headers: bearer(key) })).statusCode, 200)
  const next = generatePipelineKey('live')
  await store.sources.rotateKey('acme', source.id, { pipelineKey: next, overlapUntil: 0 })
  await refused(t, app, { headers: bearer(key) }, 'the old key')
  t.equal((await app.inject({ url: '/x', headers: bearer(next) })).statusCode, 200)
})

t.test('a key that was tried before its creation works after its creation', async (t) => {
  const { app, store } = await guarded(t)
  const pipelineKey = generatePipelineKey('live')
  await refused(t, app, { headers: bearer(pipelineKey) }, 'before')
  await makeSource(store, { pipelineKey })
  t.equal((await app.inject({ url: '/x', headers: bearer(pipelineKey) })).statusCode, 200)
})

t.test('the key of a disabled or deleted source is 401 on the next request', async (t) => {
  const { app, store, source, key } = await guarded(t)
  await store.sources.update('acme', source.id, { enabled: false })
  await refused(t, app, { headers: bearer(key) }, 'disabled')
  await store.sources.update('acme', source.id, { enabled: true })
  t.equal((await app.inject({ url: '/x', headers: bearer(key) })).statusCode, 200)
  await store.sources.delete('acme', source.id)
  await refused(t, app, { headers: bearer(key) }, 'deleted')
})

t.test('routes opt in by default and opt out with global, which also guards the 404 handler', async (t) => {
  const { app, key } = await guarded(t)
  t.equal((await app.inject('/silent')).statusCode, 200)
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  const strict = await guarded(t, { global: true })
  t.equal((await strict.app.inject('/open')).statusCode, 200)
  t.equal((await strict.app.inject('/silent')).statusCode, 401)
  t.equal((await strict.app.inject('/nowhere')).statusCode, 401)
  t.equal((await strict.app.inject({ url: '/nowhere', headers: bearer(strict.key) })).statusCode, 404)
  t.equal(
    (await strict.app.inject({ url: '/x', headers: bearer(key) })).statusCode,
    401,
    'a key of another store is refused'
  )
})

t.test('an unavailable store is 503 with Retry-After, whether it throws or rejects', async (t) => {
  for (
    const resolve of [() => {
      throw new UNAVAILABLE()
    }, async () => {
      throw new UNAVAILABLE()
    }]
  ) {
    const store = memoryStore()
    const { app, key } = await guarded(t, {}, {}, store)
    Object.defineProperty(store.sources, 'resolve', { value: resolve })
    const response = await app.inject({ url: '/x', headers: bearer(key) })
    t.equal(response.statusCode, 503)
    t.equal(response.json().error.code, 'UNAVAILABLE')
    t.equal(response.headers['retry-after'], '1')
  }
})

t.test('wrong options and wrong route configuration stop the start', async (t) => {
  const bare = Fastify()
  t.teardown(() => bare.close())
  await t.rejects(
    async () => bare.register(pipelineKey).ready(),
    /'tokenStore' required by 'gatehouse-pipeline-key' is not present/
  )
  for (const options of [{ global: 'yes' }, { guessLimit: { max: 0 } }, { guessLimit: { timeWindow: 1.5 } }]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tokenStore, { store: memoryStore() })
    await t.rejects(async () => app.register(pipelineKey, options as never).ready(), { code: 'INVALID_OPTIONS' })
  }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(pipelineKey)
  app.get('/x', { config: { gatehouse: { pipelineKey: 'yes' as never } } }, async () => ({}))
  await t.rejects(async () => app.ready(), /pipelineKey must be true or false/)
})

t.test('at most "keylessLimit" bytes are read of a body that contains its key', async (t) => {
  for (const [limit, options] of [[65_536, {}], [1_000, { keylessLimit: 1_000 }]] as const) {
    const store = memoryStore()
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tokenStore, { store })
    await app.register(pipelineKey, { ...options, keyInBody: ({ body }) => (body as { key?: unknown } | null)?.key })
    app.post('/x', { config: { gatehouse: { pipelineKey: true } } }, async ({ source }) => ({ source: source?.id }))
    const { key, source } = await makeSource(store)
    const body = (length: number) => `{"key":"${key}","pad":"${'x'.repeat(length - 20 - key.length)}"}`.padEnd(length)
    const post = (payload: string, headers = {}) =>
      app.inject({ method: 'POST', url: '/x', payload, headers: { 'content-type': 'application/json', ...headers } })
    t.same((await post(body(limit))).json(), { source: source.id })
    const refused = await post(body(limit + 1))
    t.same([refused.statusCode, refused.json().error.code], [401, 'INVALID_PIPELINE_KEY'])
    t.equal((await post(body(limit + 1), { authorization: `Bearer ${key}` })).statusCode, 200)
    t.equal((await post(body(2_000_000))).statusCode, 413, "beyond the route's own limit")
  }
  for (const options of [{ keylessLimit: 0 }, { keylessLimit: '64kb' as never }, { keyInHead: () => undefined }]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(tokenStore, { store: memoryStore() })
    await t.rejects(async () => app.register(pipelineKey, options), {
      code: 'INVALID_OPTIONS',
      message: /keylessLimit|keyInHead/
    })
  }
})
