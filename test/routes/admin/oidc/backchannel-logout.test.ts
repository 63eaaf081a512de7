import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import { signingKey } from '../../../helpers/identity-provider.js'
import { oidcLogin, SSO, tokensOf } from '../../../helpers/oidc-login.js'
import type { OidcLogin } from '../../../helpers/oidc-login.js'

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

function post (login: OidcLogin, token: string, id = 'idp') {
  return login.app.inject({
    method: 'POST',
    url: `${SSO}/oidc/${id}/backchannel-logout`,
    headers: FORM,
    payload: new URLSearchParams({ logout_token: token }).toString()
  })
}

async function site (t: Test) {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = { typ: 'logout+jwt' }) => {
    const iat = Math.floor(login.clock.now / 1_000)
    const valid = {
      iss: provider.issuer,
      aud: 'gate',
      iat,
      exp: iat + 120,
      jti: randomUUID(),
      sid: 'provider-session-1',
      events: EVENTS,
      ...claims
    }
    return provider.sign(Object.fromEntries(Object.entries(valid).filter(([, value]) => value !== undefined)), header)
  }
  return { provider, login, token }
}

t.test('a logout token ends the sessions of its sid, of its sub, or of both, and is audited', async (t) => {
  const { provider, login, token } = await site(t)
  for (const claims of [{}, { sid: undefined, sub: 'subject-1' }, { sub: 'subject-1' }]) {
    const pair = await tokensOf(login, provider.respond)
    t.equal((await login.get('me', pair.access_token)).statusCode, 200)
    const response = await post(login, await token(claims))
    t.equal(response.statusCode, 200)
    t.equal(response.body, '')
    t.equal(response.headers['cache-control'], 'no-store')
    t.equal((await login.get('me', pair.access_token)).statusCode, 401)
    t.equal((await login.refresh(pair.refresh_token)).statusCode, 401)
  }
  const entries = await login.audited('auth.logout', 'default', 3)
  t.match(entries.find(({ action }) => action === 'auth.logout')?.changes, { reason: 'identity_provider' })
})

t.test('a logout token of another session or subject ends nothing', async (t) => {
  const { provider, login, token } = await site(t)
  const { access_token: mine } = await tokensOf(login, provider.respond)
  for (const claims of [{ sid: 'other' }, { sid: undefined, sub: 'other' }, { sub: 'other' }]) {
    t.equal((await post(login, await token(claims))).statusCode, 200)
  }
  t.equal((await login.get('me', mine)).statusCode, 200)
})

t.test('a logout token between the login and the exchange of the code prevents the session', async (t) => {
  const { provider, login, token } = await site(t)
  const jar = { cookie: '' }
  const response = await login.callback(jar, provider.respond(await login.start(jar)))
  login.clock.now += 1
  t.equal((await post(login, await token())).statusCode, 200)
  t.equal((await login.exchange(jar, response)).statusCode, 401)
})

t.test('a logout token is accepted once', async (t) => {
  const { provider, login, token } = await site(t)
  const once = await token()
  t.equal((await post(login, once)).statusCode, 200)
  const { access_token: next } = await tokensOf(login, provider.respond)
  t.equal((await post(login, once)).statusCode, 400)
  login.clock.now += 100_000
  t.equal((await post(login, once)).statusCode, 400)
  t.equal((await login.get('me', next)).statusCode, 200)
})

t.test('a logout token is accepted once by all instances', async (t) => {
  const { provider, login, token } = await site(t)
  const other = await oidcLogin(t, { issuer: provider.issuer, store: login.store })
  const once = await token()
  const statuses = await Promise.all([login, other, login, other].map(async (instance) =>
    (await post(instance, once)).statusCode))
  t.same(statuses.sort(), [200, 400, 400, 400])
})

t.test('an invalid logout token ends nothing', async (t) => {
  const { provider, login, token } = await site(t)
  const { access_token: mine } = await tokensOf(login, provider.respond)
  const now = Math.floor(Date.now() / 1_000)
  const invalid: Record<string, Promise<string> | string> = {
    'of another issuer': token({ iss: 'https://other.example' }),
    'for another client': token({ aud: 'other' }),
    'that has expired': token({ exp: now - 60 }),
    'that never expires': token({ exp: undefined }),
    'from the future': token({ iat: now + 300, exp: now + 600 }),
    'that is older than an hour': token({ iat: now - 3_700, exp: now + 600 }),
    'without iat': token({ iat: undefined }),
    'without jti': token({ jti: undefined }),
    'with an empty jti': token({ jti: '' }),
    'without events': token({ events: undefined }),
    'with another event': token({ events: { 'http://schemas.example/other': {} } }),
    'whose event is no object': token({ events: { [Object.keys(EVENTS)[0] as string]: true } }),
    'with a nonce': token({ nonce: 'n' }),
    'without sub and sid': token({ sid: undefined }),
    'whose sid is a list': token({ sid: ['provider-session-1'] }),
    'whose sub is a number': token({ sub: 1 }),
    'of the type of an access token': token({}, { typ: 'at+jwt' }),
    'of the type of an ID token': token({}, { typ: 'JWT' }),
    'without a type': token({}, {}),
    'with a changed signature': token().then((text) => `${text.slice(0, -4)}AAAA`),
    'without a signature': token().then((text) => `${text.split('.').slice(0, 2).join('.')}.`),
    'that is no JWT': 'a.b.c',
    'that is empty': ''
  }
  for (const [title, value] of Object.entries(invalid)) {
    const response = await post(login, await value)
    t.equal(response.statusCode, 400, title)
    t.match(response.json(), { error: 'invalid_request' })
    t.equal(response.headers['cache-control'], 'no-store')
  }
  t.equal((await login.get('me', mine)).statusCode, 200)
})

t.test('an ID token is no logout token', async (t) => {
  const { provider, login } = await site(t)
  let idToken = ''
  provider.forge = ({ token }) => {
    idToken = token
    return token
  }
  const { access_token: mine } = await tokensOf(login, provider.respond)
  t.equal((await post(login, idToken)).statusCode, 400)
  t.equal((await login.get('me', mine)).statusCode, 200)
})

t.test('a logout token of another provider, and one for an unknown provider, are refused', async (t) => {
  const { provider, login, token } = await site(t)
  const foreign = await hostileOidc(t)
  foreign.keys = [await signingKey('first', 'RS256')]
  const { access_token: mine } = await tokensOf(login, provider.respond)
  const iat = Math.floor(Date.now() / 1_000)
  const signed = await foreign.sign({
    iss: provider.issuer, aud: 'gate', iat, exp: iat + 60, jti: 'j', sid: 'provider-session-1', events: EVENTS
  }, { typ: 'logout+jwt' })
  t.equal((await post(login, signed)).statusCode, 400)
  t.equal((await post(login, await token(), 'unknown')).statusCode, 404)
  t.equal((await login.get('me', mine)).statusCode, 200)
})

t.test('the body must be one form with one token', async (t) => {
  const { login, token } = await site(t)
  const url = `${SSO}/oidc/idp/backchannel-logout`
  const valid = await token()
  const twice = await login.app.inject({
    method: 'POST', url, headers: FORM, payload: `logout_token=${valid}&logout_token=${valid}`
  })
  t.equal(twice.statusCode, 400)
  t.match(twice.json(), { error: 'invalid_request' })
  const json = await login.app.inject({ method: 'POST', url, payload: { logout_token: valid } })
  t.equal(json.statusCode, 415)
  t.equal(json.json<{ error: { code: string } }>().error.code, 'UNSUPPORTED_MEDIA_TYPE')
  const huge = await login.app.inject({ method: 'POST', url, headers: FORM, payload: `logout_token=${'a'.repeat(40_000)}` })
  t.equal(huge.statusCode, 413)
  const empty = await login.app.inject({ method: 'POST', url, headers: FORM, payload: '' })
  t.equal(empty.statusCode, 400)
  const inQuery = await login.app.inject({ method: 'POST', url: `${url}?logout_token=${valid}`, headers: FORM, payload: 'a=b' })
  t.equal(inQuery.statusCode, 400)
  t.equal((await post(login, valid)).statusCode, 200)
})

t.test('a logout token is refused with 503 while its key is unknown and the provider is away', async (t) => {
  const { provider, login, token } = await site(t)
  const valid = await token()
  await provider.upstream.close()
  const response = await post(login, valid)
  t.equal(response.statusCode, 503)
  t.equal(response.json<{ error: { code: string } }>().error.code, 'UNAVAILABLE')
})
