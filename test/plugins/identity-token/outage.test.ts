import { createServer } from 'node:http'

import t from 'tap'

import { canary } from '../../helpers/canary.js'
import { identityApp, present } from '../../helpers/identity-app.js'
import { identityProvider } from '../../helpers/identity-provider.js'
import { logReader } from '../../helpers/log-reader.js'
import { cut, drip, flood, gzipBomb, hang, junk, redirect, reply } from '../../helpers/stub-upstream.js'
import type { Answer } from '../../helpers/stub-upstream.js'
import { until } from '../../helpers/until.js'

const UNAVAILABLE = [503, 'UNAVAILABLE']
const ACCEPTED = [200, 'ann']

const FAULTS: Record<string, Answer> = {
  hangs: hang,
  'sends one byte at a time': drip(20),
  'sends 10 MB': flood(10_485_760),
  'sends a gzip bomb': gzipBomb(10_485_760),
  'closes the connection': cut,
  'sends no HTTP': junk,
  fails: reply({ keys: [] }, 500),
  'sends no JSON': reply('<html>', 200),
  'sends a list': reply([], 200),
  'sends null': reply('null', 200),
  'sends no keys': reply({ keys: [] }),
  'sends keys of a wrong type': reply({ keys: [null, 5] }),
  'sends 101 keys': reply({ keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) })
}

for (const [fault, answer] of Object.entries(FAULTS)) {
  t.test(`a provider whose key set ${fault} is 503 for unknown keys, and known keys go on`, async (t) => {
    const provider = await identityProvider(t)
    const time = { now: Date.now() }
    const app = await identityApp(t, provider, { options: { now: () => time.now, timeout: 1_000, keysMaxAge: 60_000 } })
    const token = await provider.token({ claims: { exp: Math.floor(time.now / 1_000) + 172_800 } })
    provider.keysAnswer = answer
    t.same(await present(app, token), UNAVAILABLE, 'no key is known')
    t.same(await present(app, token), UNAVAILABLE)
    t.equal(provider.fetches(), 1, 'the second token does not wait for a fetch')

    provider.keysAnswer = null
    time.now += 5_000
    t.same(await present(app, token), ACCEPTED, 'the provider is back')

    provider.keysAnswer = answer
    time.now += 60_000
    t.same(await present(app, token), ACCEPTED, 'a known key after a failed fetch')
    t.same(await present(app, await provider.token({ header: { kid: 'new' }, claims: { exp: 9e9 } })), UNAVAILABLE)
    t.equal(provider.fetches(), 3)
    time.now += 86_400_000
    t.same(await present(app, token), UNAVAILABLE, 'the keys are too old')
  })
}

t.test('while a provider hangs, known keys are used without waiting for it', async (t) => {
  const provider = await identityProvider(t)
  const time = { now: Date.now() }
  const app = await identityApp(t, provider, { options: { now: () => time.now, timeout: 10_000, keysMaxAge: 60_000 } })
  const token = await provider.token({ claims: { exp: Math.floor(time.now / 1_000) + 86_400 } })
  t.same(await present(app, token), ACCEPTED)
  provider.keysAnswer = cut
  time.now += 60_000
  t.same(await present(app, token), ACCEPTED, 'after the failed fetch')
  provider.keysAnswer = hang
  time.now += 5_000
  const answers = await Promise.all(Array.from({ length: 50 }, () => present(app, token)))
  t.same(answers, answers.map(() => ACCEPTED))
  await until('the keys are fetched', () => provider.fetches() > 2)
  t.equal(provider.fetches(), 3, 'one fetch is under way, and no token has waited for it')
})

t.test('redirects of the discovery document and of the key set are not followed', async (t) => {
  const provider = await identityProvider(t)
  const trap = await canary(t)
  for (const statusCode of [301, 302, 303, 307, 308]) {
    provider.keysAnswer = redirect(`${trap.origin}/keys`, statusCode)
    t.same(await present(await identityApp(t, provider), await provider.token()), UNAVAILABLE, `${statusCode}`)
    const { answer } = provider.upstream
    provider.upstream.answer = redirect(`${trap.origin}/document`, statusCode)
    t.same(await present(await identityApp(t, provider), await provider.token()), UNAVAILABLE, `${statusCode}`)
    provider.upstream.answer = answer
  }
  t.equal(trap.connections(), 0)
})

t.test('a discovery document of another issuer, or with a key set at a wrong URL, is not used', async (t) => {
  const provider = await identityProvider(t)
  const { issuer, jwksUrl } = provider
  const keys = reply({ keys: provider.keys.map(({ jwk }) => jwk) })
  for (const document of [
    { issuer: `${issuer}/`, jwks_uri: jwksUrl },
    { issuer: 'https://evil.example', jwks_uri: jwksUrl },
    { jwks_uri: jwksUrl },
    { issuer },
    { issuer, jwks_uri: 'http://keys.example/keys' },
    { issuer, jwks_uri: 'file:///etc/keys' },
    { issuer, jwks_uri: jwksUrl.replace('http://', 'http://user:secret@') },
    { issuer, jwks_uri: ['/keys'] }
  ]) {
    provider.upstream.answer = (call, response) =>
      (call.url === '/keys' ? keys : reply(document))(call, response)
    const log = logReader()
    t.same(await present(await identityApp(t, provider, { log }), await provider.token()), UNAVAILABLE)
    t.match(log.text(), /the keys of an identity provider were not fetched/)
    t.notMatch(log.text(), /secret/)
  }
  t.equal(provider.fetches(), 0)
})

t.test('with "jwksUrl" no discovery document is fetched', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { provider: { jwksUrl: provider.jwksUrl } })
  t.same(await present(app, await provider.token()), ACCEPTED)
  t.same(provider.upstream.calls.map(({ url }) => url), ['/keys'])
})

t.test('the moved key set of a provider is found again', async (t) => {
  const provider = await identityProvider(t)
  const time = { now: Date.now() }
  const app = await identityApp(t, provider, { options: { now: () => time.now, keysMaxAge: 60_000 } })
  const token = await provider.token({ claims: { exp: Math.floor(time.now / 1_000) + 86_400 } })
  t.same(await present(app, token), ACCEPTED)
  const keys = provider.keys.map(({ jwk }) => jwk)
  provider.upstream.answer = (call, response) => {
    const document = { issuer: provider.issuer, jwks_uri: `${provider.issuer}/moved` }
    const answers: Record<string, Answer> = { '/keys': reply({}, 404), '/moved': reply({ keys }) }
    return (answers[call.url] ?? reply(document))(call, response)
  }
  time.now += 60_000
  t.same(await present(app, token), ACCEPTED, 'by the known key')
  time.now += 5_000
  t.same(await present(app, token), ACCEPTED)
  await until('the redirect is seen', () => provider.upstream.calls.some(({ url }) => url === '/moved'))
  t.pass('the new URL was called')
})

t.test('a provider that does not listen is 503, and the server starts without it', async (t) => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const address = closed.address()
  const port = typeof address === 'object' ? address?.port : 0
  await new Promise((resolve) => closed.close(resolve))
  const provider = await identityProvider(t)
  const issuer = `http://127.0.0.1:${port}`
  const app = await identityApp(t, { issuer })
  t.same(await present(app, await provider.token({ claims: { iss: issuer } })), UNAVAILABLE)
  const response = await app.inject({
    url: '/optional',
    headers: { authorization: `Bearer ${await provider.token({ claims: { iss: issuer } })}` }
  })
  t.equal(response.statusCode, 503, 'never accepted as a request without a user')
  t.ok(Number(response.headers['retry-after']) > 0)
})

t.test('closing the app ends a fetch that is under way, and closes its sockets', async (t) => {
  const provider = await identityProvider(t)
  provider.keysAnswer = hang
  const app = await identityApp(t, provider, { options: { timeout: 10_000 } })
  const answer = present(app, await provider.token())
  await until('the keys are fetched', () => provider.fetches() > 0)
  await app.close()
  t.same(await answer, UNAVAILABLE)
})
