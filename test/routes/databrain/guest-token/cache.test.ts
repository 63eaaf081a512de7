import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN, UNAVAILABLE } from '../../../../lib/errors.js'
import tokenStore from '../../../../plugins/token-store/index.js'
import guestToken from '../../../../routes/databrain/guest-token/index.js'
import type { GuestTokenGrant } from '../../../../routes/databrain/guest-token/index.js'
import { generateSecret } from '../../../../signing/secret-strength/index.js'
import { signUserReference } from '../../../../signing/user-reference.js'
import { backend } from '../../../helpers/backend.js'
import { API_KEY, guestTokenApp, mint, PATH, PROXY_KEY, REFERENCE_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { hang, inTurn, reply, stubUpstream } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'

/** Returns a new token at every call. */
const mintAnew: Answer = (call, response) => reply({ token: randomUUID() })(call, response)

function tick () {
  const clock = { time: 1_700_000_000_000, now: () => clock.time }
  return clock
}

t.test('a second call for the same token gets the token from the cache', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  databrain.answer = mintAnew
  const first = (await ask('ann')).json()
  t.same((await ask('ann')).json(), first)
  t.equal(databrain.calls.length, 1)
})

t.test('each difference in the request for a token leads to a separate token', async (t) => {
  const base: GuestTokenGrant = { clientId: 'ann', params: { a: [1] }, permissions: { b: true } }
  let grant = base
  const { databrain, ask } = await guestTokenApp(t, { authorize: () => grant })
  databrain.answer = mintAnew
  const grants = [
    base,
    { ...base, clientId: 'bob' },
    { ...base, params: { a: [2] } },
    { ...base, params: { a: ['1'] } },
    { ...base, params: undefined },
    { ...base, permissions: { b: false } },
    { ...base, dataAppName: 'ops' },
    { ...base, expiryTime: 60_000 }
  ]
  const tokens = new Set<string>()
  for (grant of grants) tokens.add((await ask('ann')).json().token)
  t.equal(tokens.size, grants.length)
})

t.test('1 000 parallel calls of 50 users each get the token of their user', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  const users = Array.from({ length: 1_000 }, (_, at) => `user ${at % 50}`)
  const responses = await Promise.all(users.map((user) => ask(user)))
  t.same(responses.map((response) => response.json().token), users.map(tokenOf))
  t.equal(databrain.calls.length, 50)
})

t.test('a token is reused until its last 30 s, or until its last tenth if that is longer', async (t) => {
  for (const [expiryTime, lasts] of [[120_000, 90_000], [3_600_000, 3_240_000]] as const) {
    const clock = tick()
    const { store } = await backend(t, clock)
    const { databrain, ask } = await guestTokenApp(
      t,
      { expiryTime, now: clock.now },
      {},
      (app) => app.register(tokenStore, { store })
    )
    databrain.answer = mintAnew
    const first = (await ask('ann')).json().token
    clock.time += lasts - 1
    t.equal((await ask('ann')).json().token, first)
    clock.time += 1
    t.not((await ask('ann')).json().token, first)
    t.equal(databrain.calls.length, 2)
  }
})

t.test('a token that is valid for 30 s or less is not reused', async (t) => {
  const { databrain, ask } = await guestTokenApp(t, { expiryTime: 30_000 })
  databrain.answer = mintAnew
  t.not((await ask('ann')).json().token, (await ask('ann')).json().token)
})

t.test('refreshAhead is a fraction of the validity of the token', async (t) => {
  const clock = tick()
  const { store } = await backend(t, clock)
  const { databrain, ask } = await guestTokenApp(
    t,
    { refreshAhead: 0.5, now: clock.now },
    {},
    (app) => app.register(tokenStore, { store })
  )
  await ask('ann')
  clock.time += 1_799_999
  await ask('ann')
  t.equal(databrain.calls.length, 1)
  clock.time += 1
  await ask('ann')
  t.equal(databrain.calls.length, 2)
})

t.test('a withdrawn permission is 403 at the next call, although the token is cached', async (t) => {
  let allowed = true
  const { ask } = await guestTokenApp(t, {
    authorize: () => {
      if (allowed) return { clientId: 'ann' }
      throw new FORBIDDEN()
    }
  })
  t.equal((await ask('ann')).statusCode, 200)
  allowed = false
  const response = await ask('ann')
  t.equal(response.statusCode, 403)
  t.equal(response.json().error.code, 'FORBIDDEN')
})

t.test('invalidate makes every instance of the store mint again, for only that client', async (t) => {
  const clock = tick()
  const { store } = await backend(t, clock)
  const instances = await Promise.all([1, 2].map(async () => {
    const databrain = await stubUpstream(t, mintAnew)
    return guestTokenApp(
      t,
      { now: clock.now, apiUrl: databrain.origin },
      {},
      (app) => app.register(tokenStore, { store })
    )
  }))
  const [one, two] = instances as [typeof instances[0], typeof instances[0]]
  const ann = (await one.ask('ann')).json().token
  const bob = (await two.ask('bob')).json().token
  clock.time += 1
  await two.app.tokenStore.guestTokens.invalidate({ clientId: 'ann' })
  clock.time += 1
  t.not((await one.ask('ann')).json().token, ann)
  t.equal((await two.ask('bob')).json().token, bob)
})

t.test('a token is not cached if its client is invalidated while the token is minted', async (t) => {
  const { app, databrain, ask } = await guestTokenApp(t)
  databrain.answer = async (call, response) => {
    await app.tokenStore.guestTokens.invalidate({ clientId: 'ann' })
    await mintAnew(call, response)
  }
  const first = (await ask('ann')).json().token
  databrain.answer = mintAnew
  t.not((await ask('ann')).json().token, first)
})

t.test('100 parallel calls with an empty cache make one upstream call', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  databrain.answer = mintAnew
  const responses = await Promise.all(Array.from({ length: 100 }, () => ask('ann')))
  t.same(new Set(responses.map(({ statusCode }) => statusCode)), new Set([200]))
  t.equal(new Set(responses.map(({ body }) => body)).size, 1)
  t.equal(databrain.calls.length, 1)
})

t.test('parallel calls share one failure, and the failure is not cached', async (t) => {
  const { databrain, ask } = await guestTokenApp(t, { retries: 0 })
  databrain.answer = inTurn(reply('no', 500), mint)
  const responses = await Promise.all(Array.from({ length: 100 }, () => ask('ann')))
  t.same(new Set(responses.map(({ statusCode }) => statusCode)), new Set([500]))
  t.equal(databrain.calls.length, 1)
  t.equal((await ask('ann')).statusCode, 200)
})

t.test('cache: false mints for every call', async (t) => {
  const { databrain, ask } = await guestTokenApp(t, { cache: false })
  databrain.answer = mintAnew
  const responses = await Promise.all([ask('ann'), ask('ann'), ask('ann')])
  t.equal(new Set(responses.map(({ body }) => body)).size, 3)
  t.equal(databrain.calls.length, 3)
})

t.test('a failing cache does not fail the calls', async (t) => {
  const { store } = await backend(t)
  const broken = async (): Promise<never> => {
    throw new UNAVAILABLE()
  }
  const guestTokens = { get: broken, set: broken, invalidate: broken }
  const { ask } = await guestTokenApp(
    t,
    {},
    {},
    (app) => app.register(tokenStore, { store: { ...store, guestTokens, close: () => store.close() } })
  )
  t.equal((await ask('ann')).statusCode, 200)
  t.equal((await ask('ann')).statusCode, 200)
})

t.test('app.close() does not wait for a hanging upstream', async (t) => {
  // Longer than the time limit of the test.
  const { app, databrain, ask } = await guestTokenApp(t, { timeout: 3_600_000 })
  databrain.answer = hang
  const call = ask('ann')
  while (databrain.calls.length === 0) await new Promise(setImmediate)
  await app.close()
  t.ok((await call).statusCode >= 500)
})

t.test('two registrations with different keys share no keys, tokens or limits', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const databrain = await stubUpstream(t, mintAnew)
  const other = { proxyKey: generateSecret(), reference: generateSecret() }
  const shared = { apiUrl: databrain.origin, apiKey: API_KEY, dataAppName: 'sales', userRateLimit: { max: 1 } }
  await app.register(guestToken, {
    ...shared,
    prefix: '/a',
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY]
  })
  await app.register(async (scope) => {
    await scope.register(guestToken, {
      ...shared,
      prefix: '/b',
      proxyKeys: [other.proxyKey],
      userReferenceKeys: [other.reference]
    })
  })
  await app.ready()
  const status = async (at: string, proxyKey: string, key: string) =>
    (await app.inject({
      url: `${at}${PATH}?ref=${signUserReference({ sub: 'ann' }, { key, audience: 'gatehouse-embed' })}`,
      headers: { authorization: `Bearer ${proxyKey}` }
    })).statusCode
  t.same([await status('/a', PROXY_KEY, REFERENCE_KEY), await status('/b', other.proxyKey, other.reference)], [200,
    200])
  t.equal(databrain.calls.length, 2, 'one token per registration')
  t.same([await status('/a', PROXY_KEY, REFERENCE_KEY), await status('/b', other.proxyKey, other.reference)], [429,
    429])
  for (
    const [at, proxyKey, key] of [
      ['/a', other.proxyKey, REFERENCE_KEY],
      ['/a', PROXY_KEY, other.reference],
      ['/b', PROXY_KEY, other.reference],
      ['/b', other.proxyKey, REFERENCE_KEY]
    ] as const
  ) t.equal(await status(at, proxyKey, key), 401)
})

t.test('the plugin adds exactly one route', async (t) => {
  const { app } = await guestTokenApp(t)
  t.equal(app.printRoutes({ commonPrefix: false }).trim(), `└── ${PATH} (GET)`)
})
