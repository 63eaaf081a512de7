import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { COMMANDS } from '../../server/commands/index.js'
import { readConfig } from '../../server/config/index.js'
import { ConfigError } from '../../server/config/problems.js'
import { verifyWidgetToken } from '../../signing/index.js'
import { AUDIENCE, identityProvider } from '../helpers/identity-provider.js'
import type { IdentityProviderStub } from '../helpers/identity-provider.js'
import { demoApp } from '../helpers/server-app.js'

const RENEWAL = '/api/databrain/proxy-auth-url'

/**
 * The built-in server with an identity provider, and a function that returns the user of a request on all embedding
 * routes, or the status of a refusal: guest token, DataBrain proxy, Bold BI and dxFeed.
 */
async function server (t: Test, provider: IdentityProviderStub, variables: Record<string, string> = {}) {
  const { app, products: { databrain, boldbi, dxfeed }, secrets, log } = await demoApp(t, {
    IDENTITY_ISSUER: provider.issuer,
    IDENTITY_AUDIENCE: AUDIENCE,
    EMBED_USER: 'fallback',
    ...variables
  }, { listen: true })
  const [proxyKey = ''] = secrets.DATABRAIN_PROXY_KEY
  const shown = async (url: string) => /<b>([^<]+)</.exec(await (await fetch(url)).text())?.[1]

  const guestOf = async (headers: Record<string, string>): Promise<unknown> => {
    const renewed = await app.inject({ url: RENEWAL, headers })
    if (renewed.statusCode !== 200) return renewed.statusCode
    const { pathname, search } = new URL(renewed.json().proxyAuthUrl)
    const guest = await app.inject({ url: pathname + search, headers: { authorization: `Bearer ${proxyKey}` } })
    return guest.statusCode === 200
      ? await shown(`${databrain?.mockOrigin}/embed?token=${guest.json().token}`)
      : guest.statusCode
  }
  const embedOf = async (headers: Record<string, string>): Promise<unknown> => {
    const query = `embed_nonce=${randomUUID()}&embed_dashboard_id=d1&embed_mode=view`
    const embed = await app.inject({
      method: 'POST',
      url: '/authorize',
      headers: { 'content-type': 'application/json', ...headers },
      payload: { embedQuerString: query, dashboardServerApiUrl: boldbi?.apiUrl }
    })
    if (embed.statusCode !== 200) return embed.statusCode
    const { ApiStatus, Message, Data } = embed.json()
    return ApiStatus === true ? await shown(`${boldbi?.mockOrigin}${Data.DashboardUrl}`) : Message
  }
  const widgetOf = async (headers: Record<string, string>): Promise<unknown> => {
    const widget = await app.inject({ url: '/api/generate-token', headers })
    if (widget.statusCode !== 200) return widget.statusCode
    const verdict = verifyWidgetToken(widget.json().token, { secret: dxfeed?.secret ?? '' })
    return verdict.valid ? verdict.payload.user : verdict.reason
  }
  const usersOf = async (headers: Record<string, string> = {}) =>
    [await guestOf(headers), await embedOf(headers), await widgetOf(headers)]
  const bearer = async (claims: Record<string, unknown> = {}) => ({
    authorization: `Bearer ${await provider.token({ claims })}`
  })
  const proxyStatus = async (headers: Record<string, string>) =>
    (await app.inject({ url: '/api/databrain/proxy/api/v2/x', headers: { 'x-proxy-auth-key': proxyKey, ...headers } }))
      .statusCode
  return { app, usersOf, bearer, proxyStatus, log }
}

t.test('the end user of every embedding route comes from the identity token', async (t) => {
  const provider = await identityProvider(t)
  const { usersOf, bearer, proxyStatus } = await server(t, provider)
  t.same(await usersOf(await bearer()), ['ann', 'ann', 'ann'])
  t.same(await usersOf({ authorization: 'Bearer x.y.z' }), [401, 401, 401], 'an invalid token is refused')
  t.same(await usersOf(await bearer({ aud: 'another' })), [401, 401, 401])
  t.not(await proxyStatus(await bearer()), 401)
  t.equal(await proxyStatus({ authorization: 'Bearer x.y.z' }), 401)
})

t.test('a user reference comes before an identity token, which comes before the session and EMBED_USER', async (t) => {
  const provider = await identityProvider(t)
  const { app, usersOf, bearer } = await server(t, provider)
  const chosen = await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })
  const cookie = String(chosen.headers['set-cookie']).split(';')[0] ?? ''
  const reference = { 'x-user-reference': app.userReference.sign({ sub: 'bob@example.com' }) }
  t.same((await usersOf({})).slice(1), ['fallback', 'fallback'])
  t.same(await usersOf({ cookie }), Array(3).fill('ann@example.com'))
  t.same(await usersOf({ cookie, ...await bearer() }), ['ann', 'ann', 'ann'])
  t.same((await usersOf({ ...reference, ...await bearer() })).slice(1), ['bob@example.com', 'bob@example.com'])
  t.same((await usersOf({ ...reference, authorization: 'Bearer x.y.z' })).slice(1), [401, 401])
})

t.test('variables name the claims, the header, the cookie and the values that claims must have', async (t) => {
  const provider = await identityProvider(t)
  const { usersOf, bearer } = await server(t, provider, {
    IDENTITY_USER_CLAIM: 'email',
    IDENTITY_TENANT_CLAIM: 'o.id',
    IDENTITY_CLAIMS: 'sts=active, plan=pro, plan=team',
    IDENTITY_HEADER: 'X-Identity-Token',
    IDENTITY_COOKIE: '__session',
    IDENTITY_ALGORITHMS: 'ES256,RS256',
    IDENTITY_JWKS_URL: provider.jwksUrl
  })
  const claims = { email: 'ann@example.com', email_verified: true, o: { id: 'acme' }, sts: 'active', plan: 'team' }
  const expected = ['acme', 'ann@example.com', 'ann@example.com']
  t.same(await usersOf(await bearer(claims)), expected, 'the tenant is the client of DataBrain')
  const token = await provider.token({ claims })
  t.same(await usersOf({ 'x-identity-token': token }), expected)
  t.same(await usersOf({ cookie: `__session=${token}` }), expected)
  for (const wrong of [{ email_verified: false }, { o: undefined }, { o: { id: '' } }]) {
    t.same(await usersOf(await bearer({ ...claims, ...wrong })), [403, 'This is not allowed', 403])
  }
  t.same(await usersOf(await bearer({ ...claims, plan: 'free' })), [401, 401, 401])
  t.same(provider.upstream.calls.map(({ url }) => url), ['/keys'])
})

t.test('a revocation refuses earlier tokens, and the references that were issued for them', async (t) => {
  const provider = await identityProvider(t)
  const { app, usersOf, bearer } = await server(t, provider, { IDENTITY_TENANT_CLAIM: 'org' })
  const now = Math.floor(Date.now() / 1_000)
  const earlier = await bearer({ org: 'acme', iat: now - 20 })
  const renewed = await app.inject({ url: RENEWAL, headers: earlier })
  const ref = new URL(renewed.json().proxyAuthUrl).searchParams.get('ref') ?? ''
  t.same(await usersOf(earlier), ['acme', 'ann', 'ann'])
  await app.tokenStore.revocations.revoke({
    orgId: 'default',
    kind: 'tenant',
    subject: 'acme',
    before: (now - 10) * 1_000,
    createdBy: null
  })
  t.equal((await app.inject({ url: RENEWAL, headers: earlier })).statusCode, 403)
  t.equal((await app.inject({ url: '/api/generate-token', headers: earlier })).statusCode, 403)
  t.equal((await app.inject(`/api/generate-token?ref=${ref}`)).statusCode, 403, 'the reference')
  t.same(await usersOf(await bearer({ org: 'acme', iat: now })), ['acme', 'ann', 'ann'])
})

t.test('pages of EMBED_ORIGINS may send the token to every route, with a preflight', async (t) => {
  const provider = await identityProvider(t)
  const origin = 'https://app.example.com'
  const { app, bearer } = await server(t, provider, { EMBED_ORIGINS: origin })
  for (const [method, url] of [['GET', RENEWAL], ['GET', '/api/generate-token'], ['POST', '/authorize'],
    ['GET', '/api/databrain/proxy/api/v2/x']] as const) {
    const preflight = await app.inject({
      method: 'OPTIONS',
      url,
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization'
      }
    })
    t.equal(preflight.statusCode, 204, url)
    t.equal(preflight.headers['access-control-allow-origin'], origin)
    t.match(preflight.headers['access-control-allow-headers'], /authorization/i)
  }
  t.equal((await app.inject({ url: RENEWAL, headers: { origin, ...await bearer() } })).statusCode, 200)
  const foreign = { origin: 'https://evil.example', ...await bearer() }
  t.equal((await app.inject({ url: RENEWAL, headers: foreign })).statusCode, 403)
})

t.test('a provider that is away is 503, and never another user', async (t) => {
  const provider = await identityProvider(t)
  const { usersOf, bearer, log } = await server(t, provider)
  const headers = await bearer()
  await provider.upstream.close()
  t.same(await usersOf(headers), [503, 503, 503])
  t.match(log.text(), /the keys of an identity provider were not fetched/)
  t.notOk(log.text().includes(headers.authorization.slice(-40)), 'the log contains no token')
})

t.test('the URL of a renewal begins with PUBLIC_URL, and a renewal needs a token', async (t) => {
  const provider = await identityProvider(t)
  const { app, bearer } = await server(t, provider, { PUBLIC_URL: 'https://gate.example.com' })
  const { proxyAuthUrl } = (await app.inject({ url: RENEWAL, headers: await bearer() })).json()
  t.equal(new URL(proxyAuthUrl).origin, 'https://gate.example.com')
  t.equal((await app.inject(RENEWAL)).statusCode, 401)
})

t.test('faulty variables are reported by name, without their values', async (t) => {
  const good = { IDENTITY_ISSUER: 'https://idp.example/', IDENTITY_AUDIENCE: 'app' }
  t.match(readConfig(good).identity, { issuer: 'https://idp.example/', audience: ['app'], userClaim: 'sub' })
  t.equal(readConfig({}).identity, null)
  for (const [variables, name] of [
    [{ IDENTITY_ISSUER: 'http://idp.example' }, 'IDENTITY_ISSUER must be an https URL'],
    [{ IDENTITY_ISSUER: 'idp.example' }, 'IDENTITY_ISSUER must be a URL'],
    [{ IDENTITY_AUDIENCE: '' }, 'IDENTITY_AUDIENCE is missing'],
    [{ IDENTITY_AUDIENCE: ' , ' }, 'IDENTITY_AUDIENCE is missing'],
    [{ IDENTITY_JWKS_URL: 'http://keys.example' }, 'IDENTITY_JWKS_URL must be an https URL'],
    [{ IDENTITY_ALGORITHMS: 'HS256' }, 'IDENTITY_ALGORITHMS must be a list of RS256'],
    [{ IDENTITY_ALGORITHMS: 'RS256,none' }, 'IDENTITY_ALGORITHMS must be a list of RS256'],
    [{ IDENTITY_CLAIMS: 'verified' }, 'IDENTITY_CLAIMS must be a list'],
    [{ IDENTITY_HEADER: 'Authorization' }, 'IDENTITY_HEADER must be the name'],
    [{ IDENTITY_COOKIE: 'a b' }, 'IDENTITY_COOKIE must be the name'],
    [{ IDENTITY_ISSUER: '' }, 'IDENTITY_AUDIENCE has no effect without IDENTITY_ISSUER']
  ] as const) {
    try {
      readConfig({ ...good, ...variables })
      t.fail(name)
    } catch (error) {
      t.type(error, ConfigError)
      t.match((error as Error).message, name)
    }
  }
  t.same(readConfig({ ...good, IDENTITY_CLAIMS: 'a=true,b=5' }).identity?.expectedClaims, {
    a: ['true', true],
    b: ['5', 5]
  })
})

t.test('the start names the package that an identity provider needs', async (t) => {
  t.ok(COMMANDS['start']?.needs({ NODE_ENV: 'production', IDENTITY_ISSUER: 'https://idp.example' }).includes('jose'))
  t.notOk(COMMANDS['start']?.needs({ NODE_ENV: 'production' }).includes('jose'))
})
