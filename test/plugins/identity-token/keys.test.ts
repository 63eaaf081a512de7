import { randomUUID } from 'node:crypto'

import t from 'tap'

import { identityApp, present } from '../../helpers/identity-app.js'
import { identityProvider, signingKey } from '../../helpers/identity-provider.js'

const REFUSED = [401, 'UNAUTHORIZED']
const ACCEPTED = [200, 'ann']

/** A clock in epoch milliseconds that a test moves. */
function clock () {
  const time = { now: Date.now(), pass: (milliseconds: number) => { time.now += milliseconds } }
  return time
}

t.test('1,000 tokens with unknown keys cause no fetch before the cooldown is over, and one afterwards', async (t) => {
  const provider = await identityProvider(t)
  const time = clock()
  const app = await identityApp(t, provider, {
    // The provider shares the processor with the 1,000 requests.
    options: { now: () => time.now, cooldown: 30_000, timeout: 10_000 }
  })
  t.same(await present(app, await provider.token()), ACCEPTED)
  const random = await Promise.all(
    Array.from({ length: 1_000 }, () => provider.token({ header: { kid: randomUUID() }, claims: { exp: 9e9 } }))
  )
  const statuses = async () => new Set(await Promise.all(random.map(async (token) => (await present(app, token))[0])))
  t.same([...await statuses()], [401])
  t.equal(provider.fetches(), 1, 'within the cooldown')
  time.pass(29_999)
  t.same([...await statuses()], [401])
  t.equal(provider.fetches(), 1)
  time.pass(1)
  t.same([...await statuses()], [401])
  t.equal(provider.fetches(), 2, 'after the cooldown')
  t.same([...await statuses()], [401])
  t.equal(provider.fetches(), 2, 'and then again not')
})

t.test('100 tokens that arrive together wait for one fetch', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, at) => provider.token({ claims: { sub: `user-${at}` } }))
  )
  const answers = await Promise.all(tokens.map((token) => present(app, token)))
  t.same(answers, tokens.map((_, at) => [200, `user-${at}`]))
  t.equal(provider.upstream.calls.length, 2, 'the discovery document and the keys')
})

t.test('a new key is accepted after one fetch, and an old one as long as the provider publishes it', async (t) => {
  const provider = await identityProvider(t)
  const time = clock()
  const app = await identityApp(t, provider, { options: { now: () => time.now, keysMaxAge: 600_000 } })
  const [old] = provider.keys
  const next = await signingKey('second')
  if (old === undefined) throw new Error('no key')
  const lasting = { exp: Math.floor(time.now / 1_000) + 86_400 }
  const [byOld, byNext] = [
    await provider.token({ key: old, claims: lasting }),
    await provider.token({ key: next, claims: lasting })
  ]
  t.same(await present(app, byOld), ACCEPTED)
  t.same(await present(app, byNext), REFUSED, 'not yet published')
  provider.keys.push(next)
  time.pass(30_000)
  t.same(await present(app, byNext), ACCEPTED)
  t.same(await present(app, byOld), ACCEPTED, 'both during the overlap')
  provider.keys.shift()
  t.same(await present(app, byOld), ACCEPTED, 'the keys are cached')
  time.pass(600_000)
  t.same(await present(app, byOld), REFUSED, 'the withdrawn key after "keysMaxAge"')
  t.same(await present(app, byNext), ACCEPTED)
  t.equal(provider.fetches(), 3)
})

t.test('keys are fetched in the background before they are too old', async (t) => {
  const provider = await identityProvider(t)
  const time = clock()
  const app = await identityApp(t, provider, { options: { now: () => time.now, keysMaxAge: 600_000 } })
  const token = await provider.token({ claims: { exp: Math.floor(time.now / 1_000) + 86_400 } })
  t.same(await present(app, token), ACCEPTED)
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  provider.keysAnswer = async (_call, response) => {
    await released
    response.end(JSON.stringify({ keys: provider.keys.map(({ jwk }) => jwk) }))
  }
  time.pass(480_000)
  t.same(await present(app, token), ACCEPTED, 'while the fetch is under way')
  t.same(await present(app, token), ACCEPTED)
  release()
  while (provider.fetches() < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(provider.fetches(), 2)
})

t.test('a token without a key id is accepted if one key fits, and refused if several do', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const header = { kid: undefined } as never
  t.same(await present(app, await provider.token({ header })), ACCEPTED)
  const second = await identityProvider(t)
  second.keys.push(await signingKey('second'))
  const other = await identityApp(t, second)
  t.same(await present(other, await second.token({ header })), REFUSED)
  t.same(await present(other, await second.token()), ACCEPTED)
})

t.test('keys for encryption, of another algorithm, and secret keys verify nothing', async (t) => {
  const provider = await identityProvider(t)
  const [key] = provider.keys
  if (key === undefined) throw new Error('no key')
  const published = { ...key.jwk }
  for (const change of [{ use: 'enc' }, { key_ops: ['encrypt'] }, { alg: 'ES384' }, { kid: 'other' }, { d: published.x }]) {
    const app = await identityApp(t, provider)
    key.jwk = { ...published, ...change } as typeof published
    t.same(await present(app, await provider.token()), REFUSED, JSON.stringify(change))
  }
})
