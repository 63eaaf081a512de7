import { setTimeout as sleep } from 'node:timers/promises'

import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import t from 'tap'

import { WindowStore } from '../../../lib/limits/window.js'
import { named } from '../../../lib/limits/rate-limit.js'
import { routeScope } from '../../../lib/http/route-scope.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import guestToken from '../../../routes/databrain/guest-token/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'

function count (store: WindowStore, key: string, timeWindow = 60_000): { current: number, ttl: number } {
  let counted = { current: 0, ttl: 0 }
  store.incr(key, (_error, result) => {
    counted = result
  }, timeWindow)
  return counted
}

t.test('exactly the requests beyond the limit are refused in a burst', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await routeScope(app, { rateLimit: { max: 10, timeWindow: '1 minute' } }, async (scope) => {
    scope.get('/', async () => ({}))
  })
  const responses = await Promise.all(Array.from({ length: 50 }, () => app.inject('/')))
  t.equal(responses.filter(({ statusCode }) => statusCode === 200).length, 10)
  const remaining = responses.filter(({ statusCode }) => statusCode === 200).map(({ headers }) =>
    Number(headers['ratelimit-remaining'])
  )
  t.same(remaining, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
})

t.test('keys are counted separately, and a returned result does not change later', async (t) => {
  const store = new WindowStore()
  const first = count(store, 'a')
  t.equal(count(store, 'a').current, 2)
  t.equal(count(store, 'b').current, 1)
  t.equal(first.current, 1)
  t.equal(count(store.child({}), 'a').current, 1, 'a child has separate windows')
})

t.test('a window ends after its duration', async (t) => {
  const store = new WindowStore()
  const { ttl } = count(store, 'a', 30)
  t.ok(ttl > 0 && ttl <= 30)
  await sleep(35)
  t.equal(count(store, 'a', 30).current, 1)
})

t.test('a clock that is set back does not change a window', async (t) => {
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const store = new WindowStore()
  count(store, 'a', 30)
  Date.now = () => now() - 360_000
  t.ok(count(store, 'a', 30).ttl <= 30)
})

t.test('the number of keys is bounded', async (t) => {
  const store = new WindowStore({ cache: 10 })
  for (let at = 0; at < 100; at++) count(store, `key ${at}`)
  t.equal(count(store, 'key 99').current, 2)
  t.equal(count(store, 'key 0').current, 1)
})

t.test('limits in one Redis are separate for each name and scope, and from the limits of the host', async (t) => {
  const counts = new Map<string, number>()
  const redis = {
    defineCommand () {},
    rateLimitRead () {},
    rateLimit (
      key: string,
      timeWindow: number,
      _max: number,
      _continue: boolean,
      _backoff: boolean,
      done: (error: null, result: number[]) => void
    ) {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      done(null, [count, timeWindow])
    }
  }
  const limit = { max: 1, timeWindow: '1 minute', redis }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(rateLimit, { ...limit, global: false })
  app.get('/host', { config: { rateLimit: {} } }, async () => ({}))
  const servers = [{ apiUrl: 'https://bi.test', embedSecret: 's3cret' }]
  for (const prefix of ['/a', '/b']) {
    await app.register(async (scope) => {
      await routeScope(scope, { rateLimit: limit }, async (inner) => {
        inner.get('/plain', async () => ({}))
      })
      await scope.register(embedAuthorize, {
        servers,
        authorize: () => null,
        rateLimit: { ...limit, nameSpace: 'mine-' }
      })
      await scope.register(guestToken, {
        apiKey: 'k',
        dataAppName: 'sales',
        proxyKeys: [generateSecret()],
        authorize: () => null,
        rateLimit: limit
      })
    }, { prefix })
  }
  const calls = [['GET', '/plain'], ['POST', '/authorize'], ['GET', '/api/databrain/guest-token']] as const
  const first = [await app.inject('/host')]
  for (const prefix of ['/a', '/b']) {
    for (const [method, path] of calls) first.push(await app.inject({ method, url: prefix + path }))
  }
  t.same(first.map(({ statusCode }) => statusCode).filter((status) => status === 429), [])
  t.equal(new Set(counts.keys()).size, 7)
  t.equal([...counts.keys()].filter((key) => key.startsWith('mine-')).length, 2)
  t.equal((await app.inject({ method: 'POST', url: '/a/authorize' })).statusCode, 429, 'each limit counts')
})

t.test('the option "cache" limits the number of addresses that are counted', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const [prefix, cache] of [['/one', 1], ['/many', undefined]] as const) {
    await routeScope(app, { prefix, rateLimit: { max: 1, ...cache && { cache } } }, async (scope) => {
      scope.get('/', async () => ({}))
    })
  }
  const statuses = async (url: string) => {
    const seen = []
    for (const remoteAddress of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) {
      seen.push((await app.inject({ url, remoteAddress })).statusCode)
    }
    return seen
  }
  t.same(await statuses('/one'), [200, 200, 200])
  t.same(await statuses('/many'), [200, 200, 429])
})

t.test("an invalid limit stops the start instead of becoming the library's default", async (t) => {
  const bad = [true, 5, 'off', { max: '10' }, { max: -1 }, { max: NaN }, { timeWindow: '1 minut' }, { timeWindow: 0 }, {
    timeWindow: ''
  }, { timeWindow: {} }]
  for (const rateLimit of bad) {
    const app = Fastify()
    t.teardown(() => app.close())
    t.throws(() => named(rateLimit as never, 'a'), { code: 'INVALID_OPTIONS' }, JSON.stringify(rateLimit))
    await t.rejects(routeScope(app, { rateLimit: rateLimit as never }, async () => {}), {
      code: 'INVALID_OPTIONS',
      message: /^rate-limit: /
    }, JSON.stringify(rateLimit))
  }
  for (
    const rateLimit of [false, {}, { max: 0 }, { max: () => 1 }, { timeWindow: () => 1 },
      ...['1 minute', '10s', '500', '.5 hours', '2 Days', '100 ms'].map((timeWindow) => ({ timeWindow }))] as const
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.resolves(routeScope(app, { rateLimit }, async () => {}), JSON.stringify(rateLimit))
  }
  t.equal(named(false, 'a'), false)
})
