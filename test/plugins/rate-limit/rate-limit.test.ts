import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import proxyKey from '../../../plugins/proxy-key.js'
import requestRate from '../../../plugins/rate-limit/index.js'
import type { RequestLimits, RequestRateOptions } from '../../../plugins/rate-limit/index.js'
import userReference from '../../../plugins/user-reference/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'

const byHeader = (name: string) => ({ headers }: FastifyRequest): string | null =>
  (headers[name] as string | undefined) ?? null
const WHO: RequestRateOptions = { userOf: byHeader('x-user'), keyOf: byHeader('x-key') }

type Rules = Record<string, boolean | RequestLimits | undefined>

async function limited (
  t: Test,
  options: RequestRateOptions,
  routes: Rules,
  settings: FastifyServerOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify(settings)
  t.teardown(() => app.close())
  await app.register(requestRate, options)
  for (const [url, rateLimit] of Object.entries(routes)) {
    app.get(url, rateLimit === undefined ? {} : { config: { gatehouse: { rateLimit } } }, async () =>
      'ok')
  }
  return app
}

interface Call {
  url?: string
  method?: 'GET' | 'HEAD' | 'POST'
  address?: string
  user?: string
  key?: string
  headers?: Record<string, string>
}

async function call (
  app: FastifyInstance,
  { url = '/x', method = 'GET', address = '192.0.2.1', user, key, headers }: Call = {}
) {
  return app.inject({
    url,
    method,
    remoteAddress: address,
    headers: {
      ...user === undefined ? {} : { 'x-user': user },
      ...key === undefined ? {} : { 'x-key': key },
      ...headers
    }
  })
}

async function statuses (app: FastifyInstance, calls: readonly Call[]): Promise<number[]> {
  const seen = []
  for (const one of calls) seen.push((await call(app, one)).statusCode)
  return seen
}

t.test('an address beyond its limit is 429 RATE_LIMITED with Retry-After and RateLimit headers; another address ' +
  'passes', async (t) => {
  const app = await limited(t, { address: { max: 2, timeWindow: '1 minute' } }, {
    '/x': true,
    '/silent': undefined,
    '/off': false
  })
  const first = await call(app)
  t.equal(first.statusCode, 200)
  t.match(first.headers, { 'ratelimit-limit': '2', 'ratelimit-remaining': '1', 'ratelimit-reset': /^\d+$/ })
  await call(app)
  const refused = await call(app)
  t.equal(refused.statusCode, 429)
  t.same(refused.json(), { error: { code: 'RATE_LIMITED', message: 'Too many requests; slow down' } })
  t.match(refused.headers, {
    'retry-after': /^[1-9]\d*$/,
    'ratelimit-limit': '2',
    'ratelimit-remaining': '0',
    'ratelimit-reset': /^\d+$/,
    'cache-control': 'no-store'
  })
  t.same(await statuses(app, [{ address: '192.0.2.2' }, { url: '/silent' }, { url: '/off' }, { url: '/nowhere' }]), [
    200,
    200,
    200,
    404
  ])
  t.equal((await call(app, { url: '/silent' })).headers['ratelimit-limit'], undefined)
})

t.test('by default an address can send 100 requests a minute', async (t) => {
  const app = await limited(t, {}, { '/x': true })
  const replies = await Promise.all(Array.from({ length: 130 }, () => call(app)))
  t.equal(replies.filter(({ statusCode }) => statusCode === 200).length, 100)
})

t.test('a user and a key are limited over all addresses, and requests without a user are ' +
  'not limited together', async (t) => {
  const app = await limited(t, { ...WHO, address: false, user: { max: 2 }, key: { max: 3 } }, { '/x': true })
  const from = (at: number, who: Call) => ({ address: `192.0.2.${at}`, ...who })
  t.same(await statuses(app, [1, 2, 3].map((at) => from(at, { user: 'ann' }))), [200, 200, 429])
  t.same(await statuses(app, [1, 2, 3, 4].map((at) => from(at, { key: 'k1' }))), [200, 200, 200, 429])
  t.same(
    await statuses(app, [from(1, { user: 'bob' }), from(1, { key: 'k2' }), ...Array.from({ length: 5 }, () => ({}))]),
    Array(7).fill(200)
  )
  // A request that the limit of its key refuses does not count for its user, and vice versa.
  t.same(
    await statuses(app, [from(1, { user: 'bob', key: 'k1' }), from(1, { user: 'bob', key: 'k2' }),
      from(1, { user: 'bob', key: 'k3' })]),
    [429, 200, 429]
  )
})

t.test('a limit of a route replaces the limit of the plugin and is counted only for that route', async (t) => {
  const app = await limited(t, { ...WHO, address: { max: 4 }, user: { max: 2 } }, {
    '/a': true,
    '/b': true,
    '/own': { user: { max: 1 } },
    '/open': { address: false, user: false, key: { max: 1 } },
    '/same': {}
  })
  t.same(await statuses(app, [{ url: '/a', user: 'ann' }, { url: '/b', user: 'ann' }, { url: '/same', user: 'ann' }]), [
    200,
    200,
    429
  ], 'the routes count together')
  t.same(await statuses(app, [{ url: '/own', user: 'ann' }, { url: '/own', user: 'ann' }]), [200, 429], 'separately')
  t.equal((await call(app, { url: '/own', user: 'bob' })).statusCode, 429, 'the address still counts for all')
  t.equal((await call(app, { url: '/own', user: 'bob', address: '192.0.2.9' })).statusCode, 200)
  t.same(
    await statuses(app, [...Array.from({ length: 6 }, () => ({ url: '/open', user: 'ann' })), {
      url: '/open',
      key: 'k'
    }, { url: '/open', key: 'k' }]),
    [...Array(7).fill(200), 429]
  )
})

t.test('X-Forwarded-For of an untrusted peer, HEAD, other spellings and addresses of one /64 share ' +
  'a bucket', async (t) => {
  const own = { address: { max: 2 } }
  const app = await limited(t, {}, { '/x': own, '/y': own, '/z': own }, {
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: false }
  })
  t.same(
    await statuses(
      app,
      [1, 2, 3].map((at) => ({
        headers: { 'x-forwarded-for': `10.0.0.${at}`, forwarded: `for=10.0.0.${at}`, 'x-real-ip': `10.0.0.${at}` }
      }))
    ),
    [200, 200, 429]
  )
  t.same(
    await statuses(app, [{ url: '/y' }, { url: '/y/', method: 'HEAD' }, { url: '/Y?a=1' }, {
      url: '/y',
      method: 'HEAD'
    }]),
    [200, 200, 429, 429]
  )
  t.same(
    await statuses(
      app,
      ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:DB8:0:1:ffff::3'].map((address) => ({ url: '/z', address }))
    ),
    [200, 200, 429]
  )
  t.equal((await call(app, { url: '/z', address: '2001:db8:0:2::1' })).statusCode, 200)
  t.same(
    await statuses(app, ['192.0.2.50', '::ffff:192.0.2.50', '192.0.2.50'].map((address) => ({ url: '/z', address }))),
    [200, 200, 429]
  )
})

t.test('behind a trusted proxy each client has a separate bucket', async (t) => {
  const app = await limited(t, { address: { max: 1 } }, { '/x': true }, { trustProxy: '192.0.2.1' })
  t.same(
    await statuses(
      app,
      ['10.0.0.1', '10.0.0.2', '10.0.0.1'].map((client) => ({ headers: { 'x-forwarded-for': client } }))
    ),
    [200, 200, 429]
  )
})

t.test('with global every route without rateLimit: false is limited, and so are the 404 ' +
  'handler and preflights', async (t) => {
  const app = await limited(t, { address: { max: 2 }, global: true }, { '/x': undefined, '/off': false })
  t.same(
    await statuses(app, [{ url: '/nowhere' }, { url: '/else' }, { url: '/nowhere' }, { url: '/x' }, { url: '/off' }]),
    [404, 404, 429, 429, 200]
  )
  const preflight = { origin: 'https://a.test', 'access-control-request-method': 'GET' }
  t.equal(
    (await app.inject({ method: 'OPTIONS', url: '/x', headers: preflight, remoteAddress: '192.0.2.1' })).statusCode,
    429
  )
})

t.test('users of references and proxy keys are limited without userOf and keyOf, also if ' +
  'registered later', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const [first, second] = [generateSecret(), generateSecret()]
  await app.register(requestRate, { address: false, user: { max: 2 }, key: { max: 3 } })
  await app.register(userReference, { keys: [generateSecret()] })
  await app.register(proxyKey, { keys: [first, second] })
  app.get(
    '/x',
    { config: { gatehouse: { userReference: 'optional', proxyKey: true, rateLimit: true } } },
    async () => 'ok'
  )
  const ask = async (key: string, user?: string) =>
    (await app.inject({
      url: '/x',
      headers: {
        authorization: `Bearer ${key}`,
        ...user === undefined ? {} : { 'x-user-reference': app.userReference.sign({ sub: user }) }
      }
    })).statusCode
  await app.ready()
  t.same([await ask(first, 'ann'), await ask(first, 'ann'), await ask(second, 'ann'), await ask(second, 'bob'),
    await ask(first), await ask(first)], [200, 200, 429, 200, 200, 429])
  t.equal(await ask('nobody-knows-this-key-0123456789-abcdef'), 401)
})

t.test('the headers describe the limit with the fewest remaining requests', async (t) => {
  const app = await limited(t, { ...WHO, address: { max: 3 }, user: { max: 10 } }, { '/x': true })
  t.match((await call(app, { user: 'ann' })).headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '2' })
  for (let at = 2; at < 9; at++) await call(app, { user: 'ann', address: `192.0.2.${at}` })
  t.match((await call(app, { user: 'ann', address: '192.0.2.9' })).headers, {
    'ratelimit-limit': '10',
    'ratelimit-remaining': '1'
  })
})

t.test("the refusal is the envelope on a host's route, and a failing userOf is 500", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((_error, _request, reply) => reply.code(418).send('host'))
  let user: unknown = 'ann'
  async function userOf (): Promise<string> {
    if (user instanceof Error) throw user
    return user as string
  }
  await app.register(requestRate, { address: { max: 5 }, user: { max: 1 }, userOf })
  app.get('/x', { config: { gatehouse: { rateLimit: true } } }, async () => 'ok')
  const codes = []
  for (user of ['ann', 'ann', new Error('secret'), '', 7, null]) {
    const reply = await call(app)
    codes.push(reply.statusCode === 200 ? 200 : `${reply.statusCode} ${String(reply.json().error.code)}`)
    t.notMatch(reply.body, /secret|host/)
  }
  t.same(codes, [200, '429 RATE_LIMITED', '500 INTERNAL_ERROR', '500 INTERNAL_ERROR', '500 INTERNAL_ERROR',
    '429 RATE_LIMITED'])
})

t.test('two scopes count separately, and an inner registration replaces the outer limit for its routes', async (t) => {
  const app = await limited(t, { address: { max: 1 }, global: true }, {})
  for (const prefix of ['/a', '/b']) {
    await app.register(async (scope) => {
      await scope.register(requestRate, { address: { max: 2 }, global: true })
      scope.get('/x', async () => 'ok')
    }, { prefix })
  }
  t.same(
    await statuses(
      app,
      ['/a/x', '/a/x', '/a/x', '/b/x', '/b/x', '/b/x', '/nowhere', '/nowhere'].map((url) => ({ url }))
    ),
    [200, 200, 429, 200, 200, 429, 404, 429]
  )
})
