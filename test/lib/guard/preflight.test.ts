import type { IncomingMessage, ServerResponse } from 'node:http'

import cors from '@fastify/cors'
import express from 'express'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import connectionLimit from '../../../plugins/connection-limit/index.js'
import csrf from '../../../plugins/csrf/index.js'
import proxyKey from '../../../plugins/proxy-key.js'
import requestRate from '../../../plugins/rate-limit/index.js'
import requireHttps from '../../../plugins/require-https.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'

const KEY = generateSecret()
const PAGE = 'https://a.test'
const PREFLIGHT = { origin: PAGE, 'access-control-request-method': 'POST' }
type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

const open = { config: { gatehouse: { proxyKey: false } } }

function host (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

const preflight = async (app: FastifyInstance, url: string, headers: Record<string, string> = PREFLIGHT) =>
  app.inject({ method: 'OPTIONS', url, headers, payload: { a: 1 } })

t.test('a CORS preflight reaches a route that has only OPTIONS, and any other OPTIONS request ' +
  'is refused', async (t) => {
  const app = host(t)
  await app.register(proxyKey, { keys: [KEY], global: true })
  app.options('/x', async () => 'preflight')
  t.equal((await preflight(app, '/x')).body, 'preflight')
  for (
    const headers of [{}, { origin: PAGE }, { 'access-control-request-method': 'GET' }, { ...PREFLIGHT, origin: '' }, {
      ...PREFLIGHT,
      'access-control-request-method': ''
    }]
  ) {
    t.equal((await preflight(app, '/x', headers as Record<string, string>)).statusCode, 401, JSON.stringify(headers))
  }
})

t.test('a preflight runs no hook, middleware or handler behind a guard', async (t) => {
  const app = host(t)
  const ran: string[] = []
  await app.register(proxyKey, { keys: [KEY], global: true })
  // @fastify/middie runs the middleware of Express in the same way.
  const middleware = express().use((_request, _response, next) => {
    ran.push('middleware')
    next()
  }) as unknown as Middleware
  app.addHook('onRequest', (request, reply, done) => {
    middleware(request.raw, reply.raw, () => done())
  })
  for (const name of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
    app.addHook(name, async () => {
      ran.push(name)
    })
  }
  const handler = async ({ method }: { method: string }) => ran.push(method)
  app.all('/all', handler)
  app.all('*', handler)
  app.route({ method: ['GET', 'OPTIONS'], url: '/both', handler })
  app.route({ method: ['OPTIONS', 'HEAD'], url: '/head', handler })
  app.get('/free', { ...open, exposeHeadRoute: true }, handler)
  for (const url of ['/all', '/both', '/head', '/free', '/nowhere', '//', '/%2e%2e/all']) {
    t.match(await preflight(app, url), { statusCode: 403, body: /"FORBIDDEN"/ }, url)
  }
  t.same(ran, [])
  t.equal(
    (await app.inject({ method: 'OPTIONS', url: '/all', headers: { authorization: `Bearer ${KEY}` } })).statusCode,
    200,
    'an OPTIONS request with the key'
  )
  t.ok(ran.includes('middleware'))
})

t.test('the 404 handler does not run for a preflight', async (t) => {
  const app = host(t)
  let ran = 0
  await app.register(proxyKey, { keys: [KEY], global: true })
  app.setNotFoundHandler(async () => {
    ran++
  })
  t.equal((await preflight(app, '/nowhere')).statusCode, 403)
  t.equal(ran, 0)
})

t.test('only guarded routes refuse preflights', async (t) => {
  const app = host(t)
  await app.register(proxyKey, { keys: [KEY] })
  app.all('/guarded', { config: { gatehouse: { proxyKey: true } } }, async () => 'ok')
  app.all('/silent', async () => 'ok')
  app.all('/free', open, async () => 'ok')
  const statuses = []
  for (const url of ['/guarded', '/silent', '/free', '/nowhere']) statuses.push((await preflight(app, url)).statusCode)
  t.same(statuses, [403, 200, 200, 404])
})

t.test('hooks before the guard run for a preflight, and an outer guard refuses preflights of its whole scope', async (t) => {
  const app = host(t)
  const ran: string[] = []
  app.addHook('onRequest', async () => {
    ran.push('before')
  })
  await app.register(proxyKey, { keys: [KEY], global: true })
  await app.register(async (inner) => {
    inner.addHook('onRequest', async () => {
      ran.push('inner')
    })
    await inner.register(csrf, { key: KEY, global: true, sessionOf: () => null })
    inner.all('/inner', async () => 'ok')
  })
  t.equal((await preflight(app, '/inner')).statusCode, 403)
  t.same(ran, ['before'])
})

t.test('@fastify/cors that is registered first handles the preflights of all routes', async (t) => {
  const app = host(t)
  await app.register(cors, { origin: PAGE })
  await app.register(proxyKey, { keys: [KEY], global: true })
  app.addHook('onRequest', async () => {
    throw new Error('a hook behind the guard has run')
  })
  app.all('/all', async () => 'ok')
  app.post('/post', async () => 'ok')
  for (const url of ['/all', '/post', '/nowhere']) {
    const reply = await preflight(app, url)
    t.equal(reply.statusCode, 204, url)
    t.equal(reply.headers['access-control-allow-origin'], PAGE)
  }
})

t.test('a preflight that @fastify/cors does not handle is refused by the guard behind it', async (t) => {
  const app = host(t)
  let ran = 0
  await app.register(cors, { origin: async () => false })
  await app.register(proxyKey, { keys: [KEY], global: true })
  app.addHook('onRequest', async () => {
    ran++
  })
  app.all('/all', async () => 'ok')
  app.options('/own', { config: { cors: false } }, async () => 'own')
  for (const url of ['/all', '/post']) t.equal((await preflight(app, url)).statusCode, 403, url)
  t.equal(ran, 0)
  t.equal((await preflight(app, '/own')).body, 'own', "a host's route only for OPTIONS")
})

t.test('@fastify/cors registered after the guard handles preflights of routes without an OPTIONS method', async (t) => {
  for (const scoped of [false, true]) {
    const app = host(t)
    await app.register(proxyKey, { keys: [KEY], global: true })
    const routes = async (scope: FastifyInstance) => {
      await scope.register(cors, { origin: PAGE })
      scope.post('/post', async () => 'ok')
    }
    if (scoped) await app.register(routes, { prefix: '/api' })
    else await routes(app)
    const reply = await preflight(app, scoped ? '/api/post' : '/post')
    t.equal(reply.statusCode, 204)
    t.equal(reply.headers['access-control-allow-origin'], PAGE)
  }
})

t.test('a route for OPTIONS and other methods stops the start if @fastify/cors is registered after ' +
  'the guard', async (t) => {
  for (const scoped of [false, true]) {
    const app = host(t)
    await app.register(proxyKey, { keys: [KEY], global: true })
    const routes = async (scope: FastifyInstance) => {
      await scope.register(cors, { origin: PAGE })
      scope.all('/all', async () => 'ok')
    }
    if (scoped) await app.register(routes)
    else await routes(app)
    await t.rejects(async () => app.ready(), {
      message: /\/all: proxyKey refuses the preflights .* register @fastify\/cors before the guard/
    })
  }
  const unguarded = host(t)
  await unguarded.register(proxyKey, { keys: [KEY] })
  await unguarded.register(cors, { origin: PAGE })
  unguarded.all('/all', async () => 'ok')
  unguarded.all('/own', { config: { cors: false, gatehouse: { proxyKey: true } } }, async () => 'ok')
  await unguarded.ready()
  t.equal((await preflight(unguarded, '/all')).statusCode, 204)
  t.equal((await preflight(unguarded, '/own')).statusCode, 403)
})

t.test('limits count preflights, and requireHttps passes a preflight only to a route with only OPTIONS', async (t) => {
  const limited = host(t)
  await limited.register(requestRate, { global: true, address: { max: 2 } })
  await limited.register(connectionLimit, { global: true })
  limited.options('/x', async () => 'ok')
  limited.all('/all', async () => 'ok')
  const statuses = []
  for (const url of ['/x', '/all', '/x', '/all', '/nowhere']) statuses.push((await preflight(limited, url)).statusCode)
  t.same(statuses, [200, 200, 429, 429, 429])

  const secure = host(t)
  await secure.register(requireHttps, { global: true, allowLoopback: false })
  secure.options('/x', async () => 'ok')
  secure.all('/all', async () => 'ok')
  t.same([(await preflight(secure, '/x')).statusCode, (await preflight(secure, '/all')).statusCode], [200, 403])
})
