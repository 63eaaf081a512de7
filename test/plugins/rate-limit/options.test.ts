import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { windowOf } from '../../../lib/limits/rate-limit.js'
import { openRedis } from '../../../lib/redis/open-redis.js'
import { sharedLimits } from '../../../lib/redis/shared-limits.js'
import requestRate from '../../../plugins/rate-limit/index.js'
import type { RequestRateOptions } from '../../../plugins/rate-limit/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { privateRedis } from '../../helpers/redis.js'

async function limited (t: Test, options: RequestRateOptions, store?: TokenStore): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  if (store !== undefined) await app.register(tokenStore, { store })
  await app.register(requestRate, { global: true, ...options })
  app.get('/x', async () => 'ok')
  app.get('/own', { config: { gatehouse: { rateLimit: { address: { max: 1 } } } } }, async () => 'ok')
  return app
}

const ask = async (app: FastifyInstance, url = '/x') => (await app.inject(url)).statusCode

t.test('an invalid option stops the start with an error that names it', async (t) => {
  const cases: Array<[object, string]> = [
    [{ address: true }, 'address'],
    [{ address: { max: 0 } }, 'address'],
    [{ address: { max: '5' } }, 'address'],
    [{ user: {} }, 'user'],
    [{ key: { max: 1.5 } }, 'key'],
    [{ user: { max: 1, timeWindow: '1 fortnight' } }, 'user'],
    [{ user: { max: 1, timeWindow: 0 } }, 'user'],
    [{ key: null }, 'key'],
    [{ userOf: 'x-user' }, 'userOf'],
    [{ keyOf: {} }, 'keyOf'],
    [{ shared: 1 }, 'shared'],
    [{ global: 'yes' }, 'global'],
    [{ name: '' }, 'name'],
    [{ address: false, global: true }, 'global']
  ]
  for (const [options, name] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(requestRate, options), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`^rate-limit: .*"${name}"`)
    }, JSON.stringify(options))
  }
})

t.test('a route with an invalid limit, or without any limit, stops the start', async (t) => {
  const cases: Array<[RequestRateOptions, unknown]> = [
    [{}, 'yes'],
    [{}, 5],
    [{}, null],
    [{}, { max: 5 }],
    [{}, { adress: { max: 5 } }],
    [{}, { user: { max: -1 } }],
    [{}, { user: true }],
    [{ address: false }, true],
    [{ address: false }, {}],
    [{}, { address: false }]
  ]
  for (const [options, rateLimit] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(requestRate, options)
    app.get('/x', { config: { gatehouse: { rateLimit: rateLimit as never } } }, async () => 'ok')
    await t.rejects(
      async () => app.ready(),
      { code: 'INVALID_OPTIONS', message: /rateLimit must be/ },
      JSON.stringify(rateLimit)
    )
  }
})

t.test('a window is a number of milliseconds or a string with a unit', async (t) => {
  const windows: Array<[unknown, number | null]> = [
    [500, 500],
    ['500', 500],
    ['100 ms', 100],
    ['2 milliseconds', 2],
    ['10s', 10_000],
    ['1 minute', 60_000],
    ['5 mins', 300_000],
    ['.5 hours', 1_800_000],
    ['2 Days', 172_800_000],
    ['1 w', 604_800_000],
    ['1 year', 31_557_600_000],
    ['0 s', null],
    [0, null],
    [-1, null],
    [NaN, null],
    [Infinity, null],
    ['', null],
    ['soon', null],
    ['1 month', null],
    [null, null]
  ]
  for (const [text, expected] of windows) t.equal(windowOf(text), expected, String(text))
})

t.test('requests are allowed again after the window ends', async (t) => {
  const app = await limited(t, { address: { max: 1, timeWindow: '1500 ms' } })
  t.same([await ask(app), await ask(app)], [200, 429])
  await sleep(1_520)
  t.equal(await ask(app), 200)
})

t.test('instances on one Redis count together, count separately with shared: false, and count ' +
  'locally without Redis', async (t) => {
  const redis = await privateRedis(t, { needsOwn: true })
  if (redis === null) return
  const opened = await Promise.all([openRedis({ url: redis.url }), openRedis({ url: redis.url })])
  t.teardown(() => Promise.all(opened.map(({ close }) => close())))
  async function instances (options: RequestRateOptions): Promise<[FastifyInstance, FastifyInstance]> {
    const apps = await Promise.all(
      opened.map(({ link }) => limited(t, options, { ...memoryStore(), sharedLimits: sharedLimits(link) }))
    )
    return apps as [FastifyInstance, FastifyInstance]
  }

  const [a, b] = await instances({ address: { max: 2 } })
  t.same([await ask(a), await ask(b), await ask(a), await ask(b)], [200, 200, 429, 429])
  t.same([await ask(a, '/own'), await ask(b, '/own')], [200, 429], 'a route with its own limit too')
  const [c, d] = await instances({ address: { max: 2 }, name: 'another' })
  t.same([await ask(c), await ask(d), await ask(c)], [200, 200, 429], 'another registration counts separately')
  const [alone, other] = await instances({ address: { max: 1 }, name: 'alone', shared: false })
  t.same([await ask(alone), await ask(other), await ask(alone)], [200, 200, 429])

  await redis.kill()
  const [e, f] = await instances({ address: { max: 1 }, name: 'away' })
  t.same(
    [await ask(e), await ask(f), await ask(e), await ask(f)],
    [200, 200, 429, 429],
    'each instance counts locally'
  )
})
