import cors from '@fastify/cors'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { UNAVAILABLE } from '../../../lib/errors.js'
import pipelineKey from '../../../plugins/pipeline-key/index.js'
import { allowsOrigin, sourcePreflight } from '../../../lib/cors/source-cors.js'
import tokenStore from '../../../plugins/token-store/index.js'
import type { NewSource } from '../../../contracts/token-store/index.js'
import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { backend } from '../../helpers/backend.js'
import { LOOK_ALIKES } from '../../helpers/look-alike-origins.js'
import { rawRequest } from '../../helpers/raw-socket.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const CORS_HEADERS = ['access-control-allow-origin', 'access-control-allow-credentials',
  'access-control-expose-headers']

async function shop (t: Test, settings: Partial<NewSource> = {}) {
  const { store } = await backend(t)
  const app = Fastify()
  t.teardown(() => app.close())
  let handled = 0
  await app.register(tokenStore, { store })
  await app.register(pipelineKey)
  app.get('/x', { config: { gatehouse: { pipelineKey: true } } }, async () => {
    handled++
    return {}
  })
  sourcePreflight(app, '/x')
  const made = await makeSource(store, settings)
  const get = async (origin: string | undefined, key = made.key, headers: Record<string, string> = {}) =>
    app.inject({
      url: '/x',
      headers: { authorization: `Bearer ${key}`, ...(origin === undefined ? {} : { origin }), ...headers }
    })
  const preflight = async (origin: string, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'OPTIONS',
      url: '/x',
      headers: { origin, 'access-control-request-method': 'POST', ...headers }
    })
  return { app, store, get, preflight, handled: () => handled, ...made }
}

t.test('a page of the source can send and read, and a server without an origin can send', async (t) => {
  const { get } = await shop(t)
  const page = await get(SHOP)
  t.equal(page.statusCode, 200)
  t.match(page.headers, {
    'access-control-allow-origin': SHOP,
    'access-control-allow-credentials': 'true',
    vary: 'Origin'
  })
  const server = await get(undefined)
  t.equal(server.statusCode, 200)
  t.equal(server.headers['access-control-allow-origin'], undefined)
  t.equal(server.headers.vary, 'Origin')
})

t.test('every other origin is 403 without a CORS header, and no handler runs', async (t) => {
  const { get, handled } = await shop(t)
  for (const origin of [...LOOK_ALIKES, 'null', '', `${SHOP}, ${SHOP}`, `${SHOP}, https://evil.test`, '*']) {
    const response = await get(origin)
    t.equal(response.statusCode, 403, JSON.stringify(origin))
    t.equal(response.json().error.code, 'ORIGIN_NOT_ALLOWED')
    for (const name of CORS_HEADERS) t.equal(response.headers[name], undefined)
    t.equal(response.headers.vary, 'Origin')
  }
  t.equal(handled(), 0)
})

t.test('two Origin headers on the wire are 403', async (t) => {
  const { app, key, handled } = await shop(t)
  const url = await app.listen()
  for (const pair of [[SHOP, SHOP], [SHOP, 'https://evil.test'], ['https://evil.test', SHOP]]) {
    const lines = ['GET /x HTTP/1.1', 'Host: x', 'Connection: close', `Authorization: Bearer ${key}`,
      ...pair.map((origin) => `Origin: ${origin}`)]
    const { statusCode, head } = await rawRequest(url, lines)
    t.equal(statusCode, 403)
    t.notMatch(head.toLowerCase(), 'access-control-allow-origin')
  }
  t.equal(handled(), 0)
})

t.test('an allowed Referer does not replace the Origin', async (t) => {
  const { get } = await shop(t)
  t.equal((await get('https://evil.test', undefined, { referer: `${SHOP}/` })).statusCode, 403)
  t.equal((await get(undefined, undefined, { referer: `${SHOP}/` })).headers['access-control-allow-origin'], undefined)
})

t.test('without domains every origin is refused, and with allowAnyOrigin every origin except null is allowed', async (t) => {
  const closed = await shop(t, { domains: [] })
  t.equal((await closed.get(SHOP)).statusCode, 403)
  const open = await shop(t, { domains: [], allowAnyOrigin: true })
  const response = await open.get('https://anyone.test')
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], 'https://anyone.test', 'never * with credentials')
  t.equal((await open.get('null')).statusCode, 403)
})

t.test('a preflight from a page of any enabled source is 204 with the exact origin, and any other ' +
  'is 403', async (t) => {
  const { preflight, store } = await shop(t, { domains: ['*.example.com'] })
  await makeSource(store, { domains: ['https://closed.test'], enabled: false })
  const good = await preflight(SHOP, { 'access-control-request-headers': 'authorization, content-type, x-retry-count' })
  t.equal(good.statusCode, 204)
  t.equal(good.body, '')
  t.match(good.headers, {
    'access-control-allow-origin': SHOP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': /authorization.*content-type.*x-retry-count/,
    'access-control-max-age': '600',
    vary: 'Origin, Access-Control-Request-Headers'
  })
  for (
    const origin of ['https://evil.test', 'https://closed.test', 'null', 'https://example.com',
      `${SHOP}, https://evil.test`]
  ) {
    const response = await preflight(origin)
    t.equal(response.statusCode, 403, origin)
    t.equal(response.json().error.code, 'ORIGIN_NOT_ALLOWED')
    t.equal(response.headers['access-control-allow-origin'], undefined)
    t.equal(response.headers.vary, 'Origin')
  }
})

t.test('a sandboxed page, whose origin is null, can send and read if the source allows it', async (t) => {
  const { get, preflight, store, source } = await shop(t)
  t.equal((await get('null')).statusCode, 403)
  t.equal((await preflight('null')).statusCode, 403)
  await store.sources.update('acme', source.id, { allowNullOrigin: true })
  const asked = await preflight('null', { 'access-control-request-headers': 'authorization,traceparent' })
  t.equal(asked.statusCode, 204)
  t.match(asked.headers, {
    'access-control-allow-origin': 'null',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': /traceparent/,
    vary: 'Origin, Access-Control-Request-Headers'
  })
  const sent = await get('null')
  t.equal(sent.statusCode, 200)
  t.match(sent.headers, {
    'access-control-allow-origin': 'null',
    'access-control-allow-credentials': 'true',
    vary: 'Origin'
  })
  const unknown = await get('null', generatePipelineKey('live'))
  t.equal(unknown.statusCode, 401)
  t.equal(unknown.headers['access-control-allow-origin'], 'null', 'an error before the source is known')
  for (const origin of ['NULL', 'null, null', '', 'https://evil.test', 'file://']) {
    t.equal((await get(origin)).statusCode, 403, JSON.stringify(origin))
  }
  const other = await makeSource(store)
  t.equal((await get('null', other.key)).statusCode, 403, 'another source has a separate setting')
  await store.sources.update('acme', source.id, { enabled: false })
  t.equal((await preflight('null')).statusCode, 403, 'only enabled sources count')
})

t.test('a preflight does not allow access to a private network', async (t) => {
  const { preflight } = await shop(t)
  const response = await preflight(SHOP, { 'access-control-request-private-network': 'true' })
  t.equal(response.statusCode, 204)
  t.equal(response.headers['access-control-allow-private-network'], undefined)
})

t.test('an OPTIONS request that is no preflight is 400, and an unavailable store is 503', async (t) => {
  const { app, store, preflight } = await shop(t)
  for (const headers of [{}, { origin: SHOP }, { 'access-control-request-method': 'POST' }]) {
    const response = await app.inject({ method: 'OPTIONS', url: '/x', headers })
    t.equal(response.statusCode, 400)
    t.equal(response.json().error.code, 'INVALID_REQUEST')
  }
  Object.defineProperty(store.sources, 'origins', {
    value: async () => {
      throw new UNAVAILABLE()
    }
  })
  t.equal((await preflight(SHOP)).statusCode, 503)
})

t.test('a page that any source allows can read a 401 for an unknown key, and another page cannot', async (t) => {
  const { get } = await shop(t)
  const readable = await get(SHOP, generatePipelineKey('live'))
  t.equal(readable.statusCode, 401)
  t.equal(readable.headers['access-control-allow-origin'], SHOP)
  const foreign = await get('https://evil.test', generatePipelineKey('live'))
  t.equal(foreign.statusCode, 401)
  t.equal(foreign.headers['access-control-allow-origin'], undefined)
  t.equal(foreign.headers.vary, 'Origin')
})

t.test('the domains of one source do not apply to another source', async (t) => {
  const { get, store } = await shop(t)
  const other = await makeSource(store, { domains: ['https://other.test'] })
  t.equal((await get('https://other.test')).statusCode, 403)
  t.equal((await get('https://other.test', other.key)).statusCode, 200)
})

t.test('a domain that is removed is 403 on the next request', async (t) => {
  const { get, preflight, store, source } = await shop(t)
  t.equal((await get(SHOP)).statusCode, 200)
  await store.sources.update('acme', source.id, { domains: [] })
  t.equal((await get(SHOP)).statusCode, 403)
  t.equal((await preflight(SHOP)).statusCode, 403)
})

t.test('Vary keeps the values of the host', async (t) => {
  const { store } = await backend(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', request.headers['x-vary'] ?? 'Accept-Encoding')
  })
  await app.register(cors, { origin: false })
  await app.register(tokenStore, { store })
  await app.register(pipelineKey)
  app.get('/x', { config: { gatehouse: { pipelineKey: true }, cors: false } }, async () => ({}))
  const { key } = await makeSource(store)
  const vary = async (before: string) =>
    (await app.inject({ url: '/x', headers: { authorization: `Bearer ${key}`, 'x-vary': before } })).headers.vary
  t.equal(await vary('Accept-Encoding'), 'Accept-Encoding, Origin')
  t.equal(await vary('accept, ORIGIN'), 'accept, ORIGIN')
  t.equal(await vary('X-Origin'), 'X-Origin, Origin')
})

t.test('rules of objects that are not frozen are not cached', async (t) => {
  const changing = { domains: ['https://a.test'], allowAnyOrigin: false, allowNullOrigin: false }
  t.equal(allowsOrigin(changing, 'https://b.test'), false)
  changing.domains.push('https://b.test')
  t.equal(allowsOrigin(changing, 'https://b.test'), true)
})
