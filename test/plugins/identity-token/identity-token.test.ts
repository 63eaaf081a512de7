import Fastify from 'fastify'
import t from 'tap'

import identityToken from '../../../plugins/identity-token/index.js'
import { identityApp, present } from '../../helpers/identity-app.js'
import { AUDIENCE, identityProvider } from '../../helpers/identity-provider.js'
import { logReader } from '../../helpers/log-reader.js'

t.test('a token of the provider identifies the user, with keys found through the discovery document', async (t) => {
  const provider = await identityProvider(t, '/realms/acme')
  const app = await identityApp(t, provider)
  t.same(await present(app, await provider.token()), [200, 'ann'])
  t.same(await present(app, await provider.token({ claims: { sub: 'bob' } })), [200, 'bob'])
  t.same(
    provider.upstream.calls.map(({ url }) => url),
    ['/realms/acme/.well-known/openid-configuration', '/keys'],
    'the keys of the first token serve the second one'
  )
})

t.test('an issuer with a slash at its end has its discovery document below that slash', async (t) => {
  const provider = await identityProvider(t, '/')
  const app = await identityApp(t, provider)
  t.same(await present(app, await provider.token()), [200, 'ann'])
  t.equal(provider.upstream.calls[0]?.url, '/.well-known/openid-configuration')
})

t.test('the request has the times in milliseconds and all claims', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { provider: { name: 'acme' } })
  app.get('/claims', { config: { gatehouse: { identityToken: true } } }, async ({ identityToken }) => identityToken)
  const iat = Math.floor(Date.now() / 1_000) - 10
  const token = await provider.token({ claims: { iat, exp: iat + 60, org: { id: 'o1' } } })
  const { json } = await app.inject({ url: '/claims', headers: { authorization: `Bearer ${token}` } })
  t.match(json(), {
    sub: 'ann',
    issuer: provider.issuer,
    provider: 'acme',
    issuedAt: iat * 1_000,
    expiresAt: (iat + 60) * 1_000,
    claims: { iss: provider.issuer, aud: AUDIENCE, iat, org: { id: 'o1' } }
  })
  t.match(await app.identityToken.verify(token), { sub: 'ann', claims: { org: { id: 'o1' } } })
  t.equal(await app.identityToken.verify('x.y.z'), null)
})

t.test('a missing token is 401, or null on an optional route, and an unguarded route reads none', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  const refused = await app.inject('/true')
  t.equal(refused.statusCode, 401)
  t.same(refused.json().error, { code: 'UNAUTHORIZED', message: 'User not authenticated' })
  t.same((await app.inject('/optional')).json(), { sub: null })
  t.same(await present(app, 'x.y.z', '/optional'), [401, 'UNAUTHORIZED'], 'an invalid token is refused')
  t.same(await present(app, await provider.token(), '/false'), [200, null])
})

t.test('with "global" every route is guarded, the 404 handler too, unless it says otherwise', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { global: true } })
  app.get('/plain', async () => 1)
  t.equal((await app.inject('/plain')).statusCode, 401)
  t.equal((await app.inject('/nowhere')).statusCode, 401)
  t.equal((await app.inject('/false')).statusCode, 200)
})

t.test('the log names the failed check, and neither log nor response contains the token', async (t) => {
  const provider = await identityProvider(t)
  const log = logReader()
  const app = await identityApp(t, provider, { log })
  const token = await provider.token({ claims: { aud: 'another-app' } })
  const response = await app.inject({ url: '/true', headers: { authorization: `Bearer ${token}` } })
  t.equal(response.statusCode, 401)
  t.match(log.text(), /the identity token is refused: unexpected \\"aud\\" claim value/)
  for (const part of token.split('.')) {
    t.notOk(log.text().includes(part))
    t.notOk(response.body.includes(part))
  }
})

t.test('keys given as an option verify tokens without any call', async (t) => {
  const provider = await identityProvider(t)
  const keys = { keys: provider.keys.map(({ jwk }) => ({ ...jwk })) }
  const app = await identityApp(t, { issuer: 'https://idp.example' }, { provider: { keys } })
  t.same(await present(app, await provider.token({ claims: { iss: 'https://idp.example' } })), [200, 'ann'])
  t.equal(provider.upstream.connections(), 0)
})

t.test('the "iss" of a token selects its provider, and its keys alone', async (t) => {
  const [one, two] = [await identityProvider(t), await identityProvider(t)]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(identityToken, {
    global: true,
    providers: [
      { issuer: one.issuer, audience: AUDIENCE, name: 'one' },
      { issuer: two.issuer, audience: 'second', name: 'two' }
    ]
  })
  app.get('/', async ({ identityToken }) => identityToken?.provider)
  const call = (token: string) => app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })
  t.equal((await call(await one.token())).body, 'one')
  t.equal((await call(await two.token({ claims: { aud: 'second' } }))).body, 'two')
  t.equal((await call(await two.token())).statusCode, 401, 'the audience of the other provider')
  const forged = await two.token({ claims: { iss: one.issuer }, header: { kid: 'first' } })
  t.equal((await call(forged)).statusCode, 401, 'the keys of the other provider')
})

t.test('two registrations in two scopes share no provider, key or rule', async (t) => {
  const [one, two] = [await identityProvider(t), await identityProvider(t)]
  const app = Fastify()
  t.teardown(() => app.close())
  for (const [prefix, { issuer }] of [['/one', one], ['/two', two]] as const) {
    await app.register(async (scope) => {
      await scope.register(identityToken, { providers: [{ issuer, audience: AUDIENCE }], global: true })
      scope.get('/', async ({ identityToken }) => ({ sub: identityToken?.sub ?? null }))
    }, { prefix })
  }
  app.get('/open', async () => ({ sub: 'open' }))
  t.same(await present(app, await one.token(), '/one'), [200, 'ann'])
  t.same(await present(app, await one.token(), '/two'), [401, 'UNAUTHORIZED'])
  t.same(await present(app, await two.token(), '/two'), [200, 'ann'])
  t.same(await present(app, 'none', '/open'), [200, 'open'])
})
