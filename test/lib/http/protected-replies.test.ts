import Fastify from 'fastify'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import * as suite from '../../../index.js'
import { reply as upstreamReply, stubUpstream } from '../../helpers/stub-upstream.js'

const KEY = 'eclGd3TWSYLMBHfcKoZEu74OSLseP7ydq8o9qKoSZCI'
const TOKEN = '2f47fc93-955d-418a-a3fd-e16900be5fd2'

/** What a host does to the replies of its routes. */
const WRAPPERS: Record<string, (app: FastifyInstance) => void> = {
  'preSerialization hook that wraps objects': (app) => {
    app.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
  },
  'onSend hook that wraps strings': (app) => {
    app.addHook('onSend', async (_request, reply, payload) => {
      if (typeof payload !== 'string' || payload === '') return payload
      const text = `{"data":${payload}}`
      reply.header('content-length', Buffer.byteLength(text))
      return text
    })
  },
  'reply serializer': (app) => {
    app.setReplySerializer((payload) => JSON.stringify({ data: payload }))
  }
}

/** Requests to routes of the suite, with the status and a member of the body that each must have. */
const CALLS: ReadonlyArray<[url: string, statusCode: number, member: string, body?: object]> = [
  ['/api/generate-token', 200, 'token'],
  ['/api/databrain/guest-token', 200, 'token'],
  ['/csrf-token', 200, 'token'],
  ['/captcha/challenge', 200, 'parameters'],
  ['/v1/admin/sources', 401, 'error'],
  ['/v1/admin/auth/login', 401, 'error', { email: 'nobody@example.com', password: 'no such password' }],
  ['/v1/admin/auth/login', 400, 'error', { email: 1 }],
  ['/v1/t', 401, 'error', { event: 'x' }]
]

async function wrapped (t: Test, wrap: (app: FastifyInstance) => void, isFirst: boolean): Promise<FastifyInstance> {
  const upstream = await stubUpstream(t, upstreamReply({ token: TOKEN }))
  const app = Fastify()
  t.teardown(() => app.close())
  if (isFirst) wrap(app)
  await app.register(suite.tokenStore, { store: suite.memoryStore() })
  await app.register(suite.widgetToken, { secret: 's', issuer: 'a', session: 'b', authorize: () => 'u' })
  await app.register(suite.guestToken, {
    proxyKeys: [KEY],
    apiKey: 'k',
    dataAppName: 'a',
    apiUrl: upstream.origin,
    authorize: () => ({ clientId: 'c' })
  })
  await app.register(suite.csrf, { key: KEY, sessionOf: () => null, tokenPath: '/csrf-token' })
  await app.register(suite.captcha, { provider: 'altcha', hmacKey: KEY })
  await app.register(suite.adminAuth, { jwtSecrets: [KEY] })
  await app.register(suite.adminApi, { jwtSecrets: [KEY] })
  await app.register(suite.ingestion)
  if (!isFirst) wrap(app)
  app.get('/host', async () => ({ host: true }))
  return app
}

for (const [what, wrap] of Object.entries(WRAPPERS)) {
  for (const isFirst of [true, false]) {
    t.test(`a host's ${what}, added ${isFirst ? 'before' : 'after'} the suite, does not change ` +
      "the suite's replies", async (t) => {
      const app = await wrapped(t, wrap, isFirst)
      t.same((await app.inject('/host')).json(), { data: { host: true } }, "the host's own route")
      for (const [url, statusCode, member, body] of CALLS) {
        // The scope of ingestion has no hook that runs after a host's onSend.
        if (url === '/v1/t' && what.startsWith('onSend')) continue
        const method: RouteOptions['method'] = body === undefined ? 'GET' : 'POST'
        const reply = await app.inject({
          method,
          url,
          headers: { authorization: `Bearer ${KEY}` },
          ...body === undefined ? {} : { payload: body }
        })
        t.equal(reply.statusCode, statusCode, url)
        t.ok(Object.hasOwn(reply.json() as object, member), `${url}: ${reply.body.slice(0, 60)}`)
        t.equal(reply.headers['content-type'], 'application/json; charset=utf-8', url)
        t.equal(reply.headers['content-length'], String(Buffer.byteLength(reply.body)), url)
      }
    })
  }
}

t.test('a reply contains only the properties of its response schema', async (t) => {
  const app = await wrapped(t, () => {}, true)
  const { token, ...times } = (await app.inject('/api/generate-token')).json<Record<string, string>>()
  t.type(token, 'string')
  t.same(Object.keys(times).sort(), ['expiresAt', 'issuedAt', 'refreshAfter'])
})
