import Fastify from 'fastify'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import type { Test } from 'tap'

import { UNAUTHORIZED } from '../../../lib/errors.js'
import { defineGuard, hasGuard } from '../../../lib/guard/index.js'
import { refuse } from '../../../lib/refuse.js'
import { logReader } from '../../helpers/log-reader.js'

declare module 'fastify' {
  interface GatehouseRouteConfig {
    knock?: boolean
  }
}

interface KnockOptions {
  word: string
  global?: boolean
}

/** A guard that requires a word in a header. */
const knock = fp<KnockOptions>(async (app, { word, global = false }) => {
  const wanted = defineGuard(app, {
    name: 'knock',
    fallback: global,
    accepts: (value) => typeof value === 'boolean',
    expected: 'true or false',
    securityScheme: 'knock'
  })
  app.addHook('onRequest', function checkKnock (request, reply, done) {
    if (wanted(request) !== true || request.headers['x-knock'] === word) return done()
    refuse(reply, new UNAUTHORIZED())
  })
}, { name: 'knock' })

function host (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

const guarded = { config: { gatehouse: { knock: true } } }
const open = { config: { gatehouse: { knock: false } } }
const ok = async () => ({ ok: true })
const status = async (app: FastifyInstance, url: string, word?: string) =>
  (await app.inject({ url, headers: word === undefined ? {} : { 'x-knock': word } })).statusCode

t.test('by default only routes that opt in are guarded', async (t) => {
  const app = host(t)
  app.register(knock, { word: 'a' })
  app.get('/guarded', guarded, ok)
  app.get('/open', ok)
  t.equal(await status(app, '/guarded'), 401)
  t.equal(await status(app, '/guarded', 'a'), 200)
  t.equal(await status(app, '/open'), 200)
  t.equal(await status(app, '/nowhere'), 404)
})

t.test('with global every route of the scope is guarded, also earlier routes and the 404 handler', async (t) => {
  const app = host(t)
  app.get('/before', ok)
  app.register(knock, { word: 'a', global: true })
  app.get('/after', ok)
  app.get('/open', open, ok)
  for (const url of ['/before', '/after', '/nowhere']) t.equal(await status(app, url), 401, url)
  t.equal(await status(app, '/after', 'a'), 200)
  t.equal(await status(app, '/nowhere', 'a'), 404)
  t.equal(await status(app, '/open'), 200)
  t.equal((await app.inject({ method: 'HEAD', url: '/after' })).statusCode, 401)
})

t.test('scopes with different settings are independent, and an inner registration replaces the ' +
  'outer guard', async (t) => {
  const app = host(t)
  const scope = (word: string): FastifyPluginAsync => async (scope) => {
    await scope.register(knock, { word })
    scope.get(`/${word}`, guarded, ok)
  }
  await app.register(knock, { word: 'root', global: true })
  await app.register(scope('a'))
  await app.register(scope('b'))
  t.equal(await status(app, '/a', 'a'), 200)
  t.equal(await status(app, '/b', 'b'), 200)
  for (const word of ['b', 'root']) t.equal(await status(app, '/a', word), 401)
  t.equal(await status(app, '/nowhere', 'root'), 404)
})

const FAULTS: Record<string, { config: object }> = {
  'an unknown name': { config: { gatehouse: { knok: true } } },
  'an invalid value': { config: { gatehouse: { knock: 1 } } },
  'a value that is no object': { config: { gatehouse: true } },
  'a guard that is not registered': { config: { gatehouse: { proxyKey: true } } }
}

for (const [what, route] of Object.entries(FAULTS)) {
  t.test(`${what} in config.gatehouse stops the start`, async (t) => {
    const app = host(t)
    await app.register(knock, { word: 'a' })
    app.get('/x', route, ok)
    await t.rejects(async () => {
      await app.ready()
    }, { code: 'INVALID_OPTIONS', message: /^GET \/x: config\.gatehouse/ })
  })

  t.test(`a route with ${what} in config.gatehouse that was declared before the guard responds with 500 and ` +
    'runs no handler', async (t) => {
    const { lines, stream } = logReader()
    const app = Fastify({ logger: { stream, level: 'error' } })
    t.teardown(() => app.close())
    app.get('/x', route, async () => t.fail('the handler ran'))
    app.register(async (child) => {
      child.get('/child', route, async () => t.fail('the handler ran'))
    })
    app.get('/fine', guarded, ok)
    app.register(knock, { word: 'a' })
    for (const url of ['/x', '/x', '/child']) {
      const reply = await app.inject({ url, headers: { 'x-knock': 'a' } })
      t.equal(reply.statusCode, 500, url)
      t.equal(reply.json().error.code, 'INTERNAL_ERROR')
    }
    t.match(lines()[0], { msg: 'request failed', reason: /^GET \/x: config\.gatehouse/ })
    t.equal(await status(app, '/fine', 'a'), 200)
    t.equal(await status(app, '/fine'), 401)
  })
}

t.test('the error for an unknown name suggests the guard with the nearest name', async (t) => {
  const app = host(t)
  await app.register(knock, { word: 'a' })
  app.get('/x', { config: { gatehouse: { knok: true } as object } }, ok)
  await t.rejects(async () => {
    await app.ready()
  }, { message: /did you mean "knock"\?$/ })
})

t.test('the error for a guard of this package that is not registered names the module to register', async (t) => {
  const errors = [
    ['rateLimit', /; register fastify-gatehouse\/rate-limit there before the route$/],
    ['admin', /; register fastify-gatehouse\/admin-guard there before the route$/],
    ['adminGuard', /; did you mean "admin"\?$/],
    ['toString', /registered in the route's scope$/]
  ] as const
  for (const [name, message] of errors) {
    const app = host(t)
    await app.register(knock, { word: 'a' })
    app.get('/x', { config: { gatehouse: { [name]: true } as object } }, ok)
    await t.rejects(async () => {
      await app.ready()
    }, { code: 'INVALID_OPTIONS', message })
  }
})

t.test('a route that names a guard of a sibling scope stops the start', async (t) => {
  const app = host(t)
  await app.register(async (scope) => {
    await scope.register(knock, { word: 'a' })
  })
  await app.register(async (scope) => {
    await scope.register(fp(async (app) => {
      defineGuard(app, { name: 'audit', accepts: () => true, expected: 'anything' })
    }))
    scope.get('/x', guarded, ok)
  })
  await t.rejects(async () => {
    await app.ready()
  }, { code: 'INVALID_OPTIONS', message: /knock: no guard of that name/ })
})

t.test('the same guard twice in one scope stops the start', async (t) => {
  const app = host(t)
  app.register(knock, { word: 'a' }).register(fp(knock, { name: 'again' }), { word: 'b' })
  await t.rejects(async () => {
    await app.ready()
  }, { code: 'INVALID_OPTIONS', message: 'knock: already registered in this scope' })
})

t.test('a config object that two scopes share is checked against the guards of each scope', async (t) => {
  const app = host(t)
  app.register(async (a) => {
    a.get('/a', guarded, ok)
    await a.register(knock, { word: 'a' })
  })
  app.register(async (b) => {
    b.get('/b', guarded, async () => t.fail('the handler ran'))
    await b.register(fp(async (app) => {
      defineGuard(app, { name: 'audit', accepts: () => true, expected: 'anything' })
    }))
  })
  t.equal(await status(app, '/a', 'a'), 200)
  t.equal(await status(app, '/b', 'a'), 500)
})

t.test("a refusal on a host's route is the envelope, with any error handler and response schema", async (t) => {
  const app = host(t)
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send("the host's own"))
  app.register(knock, { word: 'a' })
  app.get('/x', {
    ...guarded,
    schema: { response: { 401: { type: 'object', properties: { other: { type: 'string' } } } } }
  }, ok)
  app.get('/broken', async () => {
    throw new Error('x')
  })
  const reply = await app.inject('/x')
  t.equal(reply.statusCode, 401)
  t.same(reply.json(), { error: { code: 'UNAUTHORIZED', message: 'Authentication is required' } })
  t.equal(reply.headers['cache-control'], 'no-store')
  t.equal(reply.headers['www-authenticate'], 'Bearer')
  t.equal(await status(app, '/broken'), 418)
})

t.test('a guarded route is marked with its security scheme, and hasGuard finds guards of outer scopes', async (t) => {
  const app = host(t)
  const seen: Record<string, unknown> = {}
  await app.register(knock, { word: 'a' })
  app.addHook('onRoute', (route) => {
    seen[route.url] = route
  })
  app.get('/x', guarded, ok)
  app.get('/open', ok)
  app.register(async (scope) => {
    t.ok(hasGuard(scope, 'knock'))
  })
  await app.ready()
  t.match(seen['/x'], { schema: { security: [{ knock: [] }] } })
  t.notOk((seen['/open'] as { schema?: unknown }).schema)
  t.notOk(hasGuard(Fastify(), 'knock'))
})

t.test('a global guard that is registered after a child scope with another guard also guards the ' +
  'child scope', async (t) => {
  const other = fp(async (app) => {
    defineGuard(app, { name: 'audit', accepts: () => true, expected: 'anything' })
  })
  const app = host(t)
  app.register(async (child) => {
    await child.register(other)
    child.get('/child', ok)
    child.get('/named', guarded, ok)
    child.get('/open', open, ok)
    child.register(async (grandchild) => {
      grandchild.get('/grandchild', ok)
    })
  })
  app.register(knock, { word: 'a', global: true })
  for (const url of ['/child', '/named', '/grandchild', '/nowhere']) t.equal(await status(app, url), 401, url)
  for (const url of ['/child', '/named', '/grandchild']) t.equal(await status(app, url, 'a'), 200, url)
  t.equal(await status(app, '/open'), 200)
})

t.test('a route that issues a credential is exempt from the guard of that credential unless it ' +
  'names the guard', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const exempting = defineGuard(app, {
    name: 'csrf',
    fallback: true,
    exempts: ['csrf'],
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean'
  })
  const other = defineGuard(app, {
    name: 'knock',
    fallback: true,
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean'
  })
  const rules: unknown[] = []
  app.addHook('onRequest', async (request) => {
    rules.push([exempting(request), other(request)])
  })
  app.get('/issues', { config: { gatehouse: { issues: 'csrf' } } }, async () => 'ok')
  app.get('/other', { config: { gatehouse: { issues: 'captcha' } } }, async () => 'ok')
  app.get('/named', { config: { gatehouse: { issues: 'csrf', csrf: true } } }, async () => 'ok')
  for (const url of ['/issues', '/other', '/named']) await app.inject(url)
  t.same(rules, [[undefined, true], [true, true], [true, true]])
})

t.test('an unknown credential in config.gatehouse.issues stops the start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  defineGuard(app, { name: 'knock', accepts: (value) => typeof value === 'boolean', expected: 'a boolean' })
  app.get('/x', { config: { gatehouse: { issues: 'cookies' as 'csrf' } } }, async () => 'ok')
  await t.rejects(async () => app.ready(), { message: /\/x: config\.gatehouse\.issues must be "captcha" or "csrf"/ })
})
