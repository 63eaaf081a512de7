import cors from '@fastify/cors'
import Fastify from 'fastify'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { routeScope } from '../../../lib/http/route-scope.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import { sourcePreflight } from '../../../lib/cors/source-cors.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { backend } from '../../helpers/backend.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const VARY = 'Origin, Access-Control-Request-Headers'

async function sourceApp (t: Test): Promise<FastifyInstance> {
  const { store } = await backend(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore, { store })
  await makeSource(store)
  sourcePreflight(app, '/x')
  return app
}

async function siteApp (t: Test, options: Partial<SiteCorsOptions> = {}, hostCors = false): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  if (hostCors) await app.register(cors, { origin: true, allowedHeaders: ['x-host'] })
  await routeScope(app, { cors: { origins: [SHOP], ...options } }, async (scope) => {
    scope.post('/x', async () => ({}))
  })
  return app
}

async function preflight (
  app: FastifyInstance,
  requested: string | undefined,
  origin = SHOP
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'OPTIONS',
    url: '/x',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      ...requested === undefined ? {} : { 'access-control-request-headers': requested }
    }
  })
}

function allowed ({ headers }: LightMyRequestResponse): string[] {
  return String(headers['access-control-allow-headers']).split(', ')
}

const APPS: Array<[name: string, make: (t: Test) => Promise<FastifyInstance>]> = [
  ['a source', sourceApp],
  ['an embedding route', (t) => siteApp(t)],
  ['an embedding route in a host with its own @fastify/cors', (t) => siteApp(t, {}, true)]
]

for (const [name, make] of APPS) {
  t.test(`a preflight of ${name} allows each header that an allowed page requests`, async (t) => {
    const app = await make(t)
    for (
      const requested of [
        'authorization,baggage,content-type,sentry-trace,traceparent',
        'anonymousid,authorization,content-type,rsa-retry-reason,rsa-since-first-attempt,rsa-since-last-attempt',
        'x-retry-count, tracestate , x-datadog-trace-id',
        'newrelic',
        'X-B3-TraceId',
        "a!#$%&'+-.^_`|~9"
      ]
    ) {
      const reply = await preflight(app, requested)
      t.equal(reply.statusCode, 204, requested)
      t.equal(reply.headers['access-control-allow-origin'], SHOP)
      t.equal(reply.headers.vary, VARY)
      const names = allowed(reply)
      for (const one of requested.split(',')) t.ok(names.includes(one.trim().toLowerCase()), one)
      t.equal(new Set(names).size, names.length, 'no name is repeated')
    }
    for (const requested of [undefined, '']) {
      t.same(allowed(await preflight(app, requested)), ['authorization', 'content-type'])
    }
  })

  t.test(`a preflight of ${name} grants no header to an origin that is not admitted`, async (t) => {
    const app = await make(t)
    for (const origin of ['https://evil.test', 'null', `${SHOP}.evil.test`]) {
      const reply = await preflight(app, 'authorization,traceparent', origin)
      // A host's @fastify/cors responds with 204 before the route, without the origin.
      if (!name.includes('host')) t.equal(reply.statusCode, 403, origin)
      t.notOk(allowed(reply).includes('traceparent'))
      t.equal(reply.headers['access-control-allow-origin'], undefined)
    }
  })

  t.test(`a preflight of ${name} omits invalid field names and names beyond the limits`, async (t) => {
    const app = await make(t)
    t.same(allowed(await preflight(app, 'good, *, two words, a:b, "q", (c), a/b, x@y, [z], , é, other')), [
      'authorization',
      'content-type',
      'good',
      'other'
    ])
    t.same(allowed(await preflight(app, `${'x'.repeat(129)},${'y'.repeat(128)}`)), ['authorization', 'content-type',
      'y'.repeat(128)])
    t.equal(
      allowed(await preflight(app, Array.from({ length: 100 }, (_, at) => `x-${at}`).join(','))).length,
      66,
      '64 names and the two defaults'
    )
    const long = allowed(
      await preflight(app, Array.from({ length: 60 }, (_, at) => `${'x'.repeat(98)}${10 + at}`).join(','))
    )
    t.ok(long.join(',').length < 4_200)
    t.ok(long.slice(2).every(({ length }) => length === 100), 'no name is cut')
  })
}

t.test('allowedHeaders of an embedding route replaces the requested headers', async (t) => {
  const reply = await preflight(await siteApp(t, { allowedHeaders: ['X-Mine'] }), 'traceparent')
  t.equal(reply.statusCode, 204)
  t.same(allowed(reply), ['X-Mine'])
  t.equal(reply.headers.vary, 'Origin')
})
