import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { UNAUTHORIZED } from '../../../lib/errors.js'
import { routeScope } from '../../../lib/http/route-scope.js'
import type { RouteScopeOptions } from '../../../lib/http/route-scope.js'
import { logReader } from '../../helpers/log-reader.js'
import { rawRequest } from '../../helpers/raw-socket.js'

const PAGE = 'https://app.example.com'

async function scoped (t: Test, options: RouteScopeOptions, host = false) {
  const app = Fastify()
  t.teardown(() => app.close())
  if (host) {
    await app.register(cors, { origin: true, credentials: true })
    await app.register(rateLimit, { max: 1000 })
  }
  app.get('/host', async () => ({ host: true }))
  for (const name of ['a', 'b']) {
    await routeScope(app, { ...options, prefix: `/${name}` }, async (scope) => {
      scope.addHook('onRequest', async (request) => {
        if (request.headers.authorization === 'bad') throw new UNAUTHORIZED()
      })
      scope.get('/x', async () => ({ ok: true }))
    })
  }
  return app
}

for (const host of [false, true]) {
  const beside = host ? 'beside a host with its own CORS and rate limit' : 'in a bare host'

  t.test(`two scopes with CORS work ${beside}, and only the listed origin can read`, async (t) => {
    const app = await scoped(t, { cors: { origins: [PAGE] } }, host)
    for (const url of ['/a/x', '/b/x']) {
      const good = await app.inject({ url, headers: { origin: PAGE } })
      t.equal(good.statusCode, 200)
      t.equal(good.headers['access-control-allow-origin'], PAGE)
      t.match(good.headers.vary, /Origin/)
      const evil = await app.inject({ url, headers: { origin: 'https://evil.test' } })
      t.equal(evil.statusCode, 403)
      t.equal(evil.json().error.code, 'ORIGIN_NOT_ALLOWED')
      t.equal(evil.headers['access-control-allow-origin'], undefined)
      const preflight = await app.inject({
        method: 'OPTIONS',
        url,
        headers: { origin: PAGE, 'access-control-request-method': 'GET' }
      })
      t.equal(preflight.statusCode, 204)
      t.equal(preflight.headers['access-control-allow-origin'], PAGE)
      t.equal(preflight.headers['access-control-max-age'], '600')
      const foreign = await app.inject({
        method: 'OPTIONS',
        url,
        headers: { origin: 'https://evil.test', 'access-control-request-method': 'GET' }
      })
      t.equal(foreign.headers['access-control-allow-origin'], undefined)
      const refused = await app.inject({ url, headers: { origin: PAGE, authorization: 'bad' } })
      t.equal(refused.statusCode, 401)
      t.equal(refused.headers['access-control-allow-origin'], PAGE, 'an allowed page can read its errors')
      const pageless = await app.inject({ url })
      t.equal(pageless.headers.vary, 'Origin')
      t.same(
        Object.keys(pageless.headers).filter((name) => name.startsWith('access-control-')),
        [],
        'no access is granted without an Origin'
      )
    }
    const reply = await app.inject({ url: '/host', headers: { origin: 'https://evil.test' } })
    t.equal(
      reply.headers['access-control-allow-origin'],
      host ? 'https://evil.test' : undefined,
      'the host keeps its own rule'
    )
  })

  t.test(`a refusal by a later hook still counts against the rate limit ${beside}`, async (t) => {
    const app = await scoped(t, { rateLimit: { max: 2, timeWindow: '1 minute' } }, host)
    const statuses = []
    for (let i = 0; i < 3; i++) {
      statuses.push((await app.inject({ url: '/a/x', headers: { authorization: 'bad' } })).statusCode)
    }
    t.same(statuses, [401, 401, 429])
    const limited = await app.inject('/a/x')
    t.equal(limited.json().error.code, 'RATE_LIMITED')
    t.ok(Number(limited.headers['retry-after']) > 0)
    t.equal((await app.inject('/b/x')).statusCode, 200, 'the other scope counts separately')
  })
}

t.test("the request log contains no query values, and the host's routes use the host's serializer", async (t) => {
  const log = logReader()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  app.get('/host', async () => ({}))
  await routeScope(app, { prefix: '/a' }, async (scope) => {
    scope.get('/x', async () => ({}))
  })
  await app.inject('/a/x?ref=v1.s3cret.reference&p=1&v1.n4meless')
  await app.inject('/host?ref=hosts-own')
  t.match(log.lines()[0], { req: { method: 'GET', url: '/a/x?ref=***&p=***&***' } })
  t.notMatch(log.text(), /s3cret|n4meless/)
  t.match(log.text(), 'hosts-own')
})

t.test('no query value is logged with a request serializer that logs the query', async (t) => {
  const log = logReader()
  const app = Fastify({
    logger: { level: 'trace', stream: log.stream, serializers: { req: ({ url, query }) => ({ url, query }) as never } }
  })
  t.teardown(() => app.close())
  await routeScope(app, {}, async (scope) => {
    scope.get('/x', async ({ query }) => query)
  })
  t.same((await app.inject('/x?ref=s3cret')).json(), { ref: 's3cret' }, 'the route itself reads it')
  t.match(log.text(), '/x?ref=***')
  t.notMatch(log.text(), 's3cret')
})

t.test('a request serializer of the host logs no password of an absolute target and no query of ' +
  'a referer', async (t) => {
  const log = logReader()
  const app = Fastify({
    logger: {
      level: 'trace',
      stream: log.stream,
      serializers: { req: ({ url, originalUrl, headers }) => ({ url, originalUrl, headers }) as never }
    }
  })
  t.teardown(() => app.close())
  await routeScope(app, {}, async (scope) => {
    scope.get('/x', () => 'ok')
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  await rawRequest(origin, ['GET http://user:s3cret@host/x HTTP/1.1', 'Host: host',
    'Referer: https://u:s3cret@shop.example.com/?token=s3cret#s3cret', 'Connection: close'])
  t.match(log.text(), 'http://***@host/x')
  t.match(log.text(), 'https://***@shop.example.com/?token=***')
  t.notMatch(log.text(), 's3cret')
})

t.test("compilers of the host, which cannot read the suite's schemas, are not called", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(() => {
    throw new Error('not a schema of mine')
  })
  app.setSerializerCompiler(() => {
    throw new Error('not a schema of mine')
  })
  const schema = {
    body: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
    querystring: { type: 'object', properties: { limit: { type: 'integer' } } },
    response: { 200: { type: 'object', properties: { n: { type: 'integer' }, limit: { type: 'integer' } } } }
  }
  await routeScope(app, {}, async (scope) => {
    scope.post(
      '/x',
      { schema },
      async ({ body, query }) => ({ ...body as object, ...query as object, secret: 'not in the schema' })
    )
  })
  const reply = await app.inject({ method: 'POST', url: '/x?limit=2', payload: { n: 1 } })
  t.same([reply.statusCode, reply.json()], [200, { n: 1, limit: 2 }])
  t.equal((await app.inject({ method: 'POST', url: '/x', payload: { n: '1' } })).json().error.code, 'INVALID_REQUEST')
})
