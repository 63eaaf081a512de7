import t from 'tap'

import { identityApp, present } from '../../helpers/identity-app.js'
import { AUDIENCE, identityProvider } from '../../helpers/identity-provider.js'

const REFUSED = [401, 'UNAUTHORIZED']
const ACCEPTED = [200, 'ann']

t.test('only the exact issuer is accepted, and another one causes no fetch', async (t) => {
  const provider = await identityProvider(t, '/tenant')
  const app = await identityApp(t, provider)
  for (const iss of [
    `${provider.issuer}/`,
    provider.issuer.toUpperCase(),
    provider.issuer.slice(0, -1),
    provider.issuer.replace('http:', 'https:'),
    provider.issuer.replace('127.0.0.1', 'localhost'),
    `${provider.issuer}?x`,
    '',
    undefined,
    [provider.issuer]
  ]) {
    t.same(await present(app, await provider.token({ claims: { iss } })), REFUSED, String(iss))
  }
  t.equal(provider.upstream.calls.length, 0)
  t.same(await present(app, await provider.token()), ACCEPTED)
})

t.test('a token needs one of the audiences, as a string or in a list', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { provider: { audience: [AUDIENCE, 'api'] } })
  for (const aud of [AUDIENCE, 'api', ['other', AUDIENCE], [AUDIENCE]]) {
    t.same(await present(app, await provider.token({ claims: { aud } })), ACCEPTED, String(aud))
  }
  for (const aud of ['other', '', [], ['other'], undefined, 'app api', `${AUDIENCE} `, { app: 1 }, [[AUDIENCE]], 5]) {
    t.same(await present(app, await provider.token({ claims: { aud } })), REFUSED, String(aud))
  }
})

t.test('without an audience the authorized party is required, and a token for an audience is refused', async (t) => {
  const provider = await identityProvider(t)
  const origin = 'https://app.example.com'
  const audience = undefined as never
  const app = await identityApp(t, provider, { provider: { audience, authorizedParties: [origin] } })
  const withClaims = async (claims: Record<string, unknown>) => await present(app, await provider.token({ claims }))
  t.same(await withClaims({ aud: undefined, azp: origin }), ACCEPTED)
  t.same(await withClaims({ aud: undefined, azp: 'https://evil.example' }), REFUSED)
  t.same(await withClaims({ aud: undefined, azp: [origin] }), REFUSED)
  t.same(await withClaims({ aud: undefined }), REFUSED)
  t.same(await withClaims({ aud: 'another-service', azp: origin }), REFUSED)
})

t.test('with an audience and authorized parties both are required', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { provider: { authorizedParties: 'web' } })
  t.same(await present(app, await provider.token({ claims: { azp: 'web' } })), ACCEPTED)
  t.same(await present(app, await provider.token({ claims: { azp: 'mobile' } })), REFUSED)
  t.same(await present(app, await provider.token()), REFUSED)
  t.same(await present(app, await provider.token({ claims: { azp: 'web', aud: 'other' } })), REFUSED)
})

t.test('expired, early and undated tokens are refused, with the tolerance and no more', async (t) => {
  const now = 1_800_000_000
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { now: () => now * 1_000, clockTolerance: 10_000 } })
  const withClaims = async (claims: object) =>
    await present(app, await provider.token({ claims: { iat: now - 60, exp: now + 60, ...claims } }))
  t.same(await withClaims({}), ACCEPTED)
  t.same(await withClaims({ exp: now - 9 }), ACCEPTED)
  t.same(await withClaims({ exp: now - 10 }), REFUSED)
  t.same(await withClaims({ exp: undefined }), REFUSED)
  t.same(await withClaims({ exp: `${now + 60}` }), REFUSED)
  t.same(await withClaims({ nbf: now + 10 }), ACCEPTED)
  t.same(await withClaims({ nbf: now + 11 }), REFUSED)
  t.same(await withClaims({ iat: now + 10 }), ACCEPTED)
  t.same(await withClaims({ iat: now + 11 }), REFUSED)
  t.same(await withClaims({ iat: undefined }), REFUSED)
  t.same(await withClaims({ iat: null }), REFUSED)
})

t.test('a token issued by a clock that is ahead counts as issued before a revocation of now', async (t) => {
  const now = 1_800_000_000
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, { options: { now: () => now * 1_000 } })
  await app.ready()
  const token = await provider.token({ claims: { iat: now + 4, exp: now + 60 } })
  const verified = await app.identityToken.verify(token)
  t.ok(verified !== null && verified.issuedAt < now * 1_000)
})

t.test('a token is refused after "maxTokenAge", whatever its "exp"', async (t) => {
  const now = 1_800_000_000
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, {
    provider: { maxTokenAge: 60_000 },
    options: { now: () => now * 1_000, clockTolerance: 0 }
  })
  const aged = async (seconds: number) =>
    await present(app, await provider.token({ claims: { iat: now - seconds, exp: now + 86_400 } }))
  t.same(await aged(60), ACCEPTED)
  t.same(await aged(61), REFUSED)
})

t.test('"sub" must be a string of 1 to 256 characters', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider)
  for (const sub of ['', undefined, null, 5, ['ann'], 'x'.repeat(257)]) {
    t.same(await present(app, await provider.token({ claims: { sub } })), REFUSED, typeof sub)
  }
  const longest = 'x'.repeat(256)
  t.same(await present(app, await provider.token({ claims: { sub: longest } })), [200, longest])
})

t.test('required claims must be present, and expected claims must have a value', async (t) => {
  const provider = await identityProvider(t)
  const app = await identityApp(t, provider, {
    provider: { requiredClaims: ['org'], expectedClaims: { email_verified: true, tid: ['t1', 't2'], roles: 'viewer' } }
  })
  const good = { org: 'acme', email_verified: true, tid: 't2', roles: ['editor', 'viewer'] }
  const withClaims = async (claims: object) =>
    await present(app, await provider.token({ claims: { ...good, ...claims } }))
  t.same(await withClaims({}), ACCEPTED)
  for (const wrong of [
    { org: undefined },
    { email_verified: 'true' },
    { email_verified: false },
    { email_verified: undefined },
    { tid: 't3' },
    { roles: ['editor'] },
    { roles: 'viewers' }
  ]) t.same(await withClaims(wrong), REFUSED, JSON.stringify(wrong))
})
