import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { upstreamClient } from '../../../../lib/upstream-client/index.js'
import { TokenSource } from '../../../../routes/databrain/guest-token/token-source.js'
import type { TokenRequest, TokenSourceOptions } from '../../../../routes/databrain/guest-token/token-source.js'
import { backend } from '../../../helpers/backend.js'
import { API_KEY } from '../../../helpers/guest-token.js'
import { reply, stubUpstream } from '../../../helpers/stub-upstream.js'

const ANN: TokenRequest = {
  clientId: 'ann',
  dataAppName: 'sales',
  params: undefined,
  permissions: undefined,
  expiryTime: 3_600_000
}

/** Two instances with one store, and a DataBrain that mints a new token at every call. */
async function sources (t: Test, options: Partial<TokenSourceOptions> = {}) {
  const databrain = await stubUpstream(t, (call, response) => reply({ token: randomUUID() })(call, response))
  const upstream = upstreamClient({ origin: databrain.origin })
  const { store } = await backend(t)
  t.teardown(async () => {
    await upstream.close()
    await store.close()
  })
  const warnings: unknown[] = []
  const log = { warn: (...line: unknown[]) => warnings.push(line) } as unknown as TokenSourceOptions['log']
  const make = () =>
    new TokenSource({
      upstream,
      basePath: '',
      apiKey: API_KEY,
      namespace: ['/token'],
      cache: store.guestTokens,
      refreshAhead: 0.1,
      now: Date.now,
      log,
      ...options
    })
  return { databrain, store, warnings, one: make(), two: make() }
}

t.test('forget drops one token at every instance, and other tokens stay', async (t) => {
  const { one, two } = await sources(t)
  const [ann, bob] = [await one.get(ANN), await one.get({ ...ANN, clientId: 'bob' })]
  t.same(await two.get(ANN), { token: ann.token, cached: true })
  await one.forget(ANN, ann.token)
  const next = await two.get(ANN)
  t.equal(next.cached, false)
  t.not(next.token, ann.token)
  t.same(await one.get(ANN), { token: next.token, cached: true }, 'the new token is kept')
  t.same(await one.get({ ...ANN, clientId: 'bob' }), { token: bob.token, cached: true })
})

t.test('forget drops only the given token and not its successor', async (t) => {
  const { databrain, one, two } = await sources(t)
  const dead = (await one.get(ANN)).token
  await one.forget(ANN, dead)
  const next = await one.get(ANN)
  await Promise.all([one, two].flatMap((source) => [source.forget(ANN, dead), source.forget(ANN, 'nonsense')]))
  t.same(await two.get(ANN), { token: next.token, cached: true })
  t.equal(databrain.calls.length, 2)
})

t.test('forget does not throw without a cache or with a failing cache', async (t) => {
  const uncached = await sources(t, { cache: null })
  await uncached.one.forget(ANN, 'x')
  t.same(uncached.warnings, [])
  const broken = async (): Promise<never> => {
    throw new Error('down')
  }
  const down = await sources(t, { cache: { get: broken, set: broken, invalidate: broken } })
  await down.one.forget(ANN, (await down.one.get(ANN)).token)
  t.equal(down.warnings.length, 3)
})

t.test('a token of one API key is not returned under another API key', async (t) => {
  let apiKey = 'old'
  const { databrain, one, two } = await sources(t, { apiKey: { get: () => apiKey } })
  const old = await one.get(ANN)
  apiKey = 'new'
  const next = await two.get(ANN)
  t.equal(next.cached, false)
  t.not(next.token, old.token)
  t.same(databrain.calls.map(({ headers }) => headers.authorization), ['Bearer old', 'Bearer new'])
})
