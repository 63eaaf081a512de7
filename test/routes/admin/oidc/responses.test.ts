import t from 'tap'

import { hostileOidc } from '../../../helpers/hostile-oidc.js'
import { CLIENT_SECRET, oidcLogin, SSO, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import { reply } from '../../../helpers/stub-upstream.js'

t.test('a response of the provider is used once', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const url = provider.respond(await login.start(jar))
  const before = jar.cookie
  t.ok(valueOf(await login.callback(jar, url), 'sso'))
  t.equal((await login.refused(t, await login.callback(jar, url))).error, 'expired')
  t.equal((await login.refused(t, await login.callback({ cookie: before }, url))).error, 'expired')
  t.equal(provider.calls('/token'), 1, 'the code is not sent again')
})

t.test('a response works only in the browser that started the login, with its state', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const [mine, others] = [{ cookie: '' }, { cookie: '' }]
  const url = provider.respond(await login.start(mine))
  t.equal((await login.refused(t, await login.callback({ cookie: '' }, url))).error, 'expired')
  const foreign = provider.respond(await login.start(others))
  t.equal((await login.refused(t, await login.callback(mine, foreign))).error, 'expired')
  for (const state of ['', 'wrong', null]) {
    const forged = provider.respond(await login.start(mine), { state })
    t.equal((await login.refused(t, await login.callback(mine, forged))).error, 'expired')
  }
  t.equal(provider.calls('/token'), 0, 'no code is exchanged')
})

t.test('a response does not work after 15 minutes', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const url = provider.respond(await login.start(jar))
  login.clock.now += 900_001
  t.equal((await login.refused(t, await login.callback(jar, url))).error, 'expired')
})

t.test('a code of the login page works only in its browser, and once', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const response = await login.callback(jar, provider.respond(await login.start(jar)))
  t.equal((await login.exchange({ cookie: '' }, response)).statusCode, 401)
  const copy = { cookie: jar.cookie }
  t.equal((await login.exchange(jar, response)).statusCode, 200)
  t.equal((await login.exchange(copy, response)).json<{ error: { code: string } }>().error.code, 'INVALID_CREDENTIALS')
})

t.test('the response of one provider is refused at the redirect URI of another', async (t) => {
  const [a, b] = [await hostileOidc(t), await hostileOidc(t)]
  const second = {
    id: 'second',
    orgId: 'default',
    name: 'Second',
    settings: { issuer: b.issuer, client_id: 'gate' },
    secrets: [CLIENT_SECRET]
  }
  const login = await oidcLogin(t, { issuer: a.issuer, plugin: { providers: [second] } })
  const jar = { cookie: '' }
  const atOther = b.respond(await login.start(jar, 'second')).replace('/oidc/second/', '/oidc/idp/')
  t.equal((await login.refused(t, await login.callback(jar, atOther))).error, 'expired')
  t.equal(a.calls('/token') + b.calls('/token'), 0)
  // A login of the first, which the attacker's provider ends with a code of its own.
  const mixed = a.respond(await login.start(jar), { iss: b.issuer })
  const { error, entry } = await login.refused(t, await login.callback(jar, mixed))
  t.equal(error, 'invalid_response')
  t.match(entry.changes, { detail: /"iss"/ })
  t.equal(a.calls('/token') + b.calls('/token'), 0, 'the code is sent to neither')
  t.ok(valueOf(await login.callback(jar, a.respond(await login.start(jar), { iss: a.issuer })), 'sso'))
})

t.test('iss is required of a provider that announces it', async (t) => {
  const provider = await hostileOidc(t)
  provider.discovery['authorization_response_iss_parameter_supported'] = true
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const { error } = await login.refused(t, await login.callback(jar, provider.respond(await login.start(jar))))
  t.equal(error, 'invalid_response')
  t.equal(provider.calls('/token'), 0)
})

t.test('errors of the provider become the codes of the login page, without its text', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  for (const [error, expected] of Object.entries({
    access_denied: 'access_denied',
    login_required: 'access_denied',
    interaction_required: 'access_denied',
    consent_required: 'access_denied',
    temporarily_unavailable: 'provider_unavailable',
    server_error: 'provider_unavailable',
    unauthorized_client: 'invalid_response',
    '<script>': 'invalid_response'
  })) {
    const jar = { cookie: '' }
    const text = '<b>call +1 555 0100</b>'
    const url = provider.respond(await login.start(jar), { code: null, error, error_description: text })
    const response = await login.callback(jar, url)
    const refused = await login.refused(t, response)
    t.equal(refused.error, expected, error)
    t.notMatch(String(response.headers.location), /555|script/)
    t.notMatch(JSON.stringify(refused.entry?.changes), /555|script/)
  }
})

t.test('a response without a code, and one with an ID token beside it, are refused', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const without = provider.respond(await login.start(jar), { code: null })
  t.equal((await login.refused(t, await login.callback(jar, without))).error, 'invalid_response')
  const twice = `${provider.respond(await login.start(jar))}&code=other`
  const response = await login.callback(jar, twice)
  t.equal(response.statusCode, 400)
  t.equal(response.json<{ error: { code: string } }>().error.code, 'INVALID_REQUEST')
  t.equal(provider.calls('/token'), 0)
})

t.test('return_to leads to a path of the login page\'s site only', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  for (const path of ['//evil.example', '\\\\evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)',
    'evil.example', '', '/\t/evil.example', '/%0a/evil.example\n', '/..//evil.example', 'data:text/html,x']) {
    const query = new URLSearchParams({ return_to: path }).toString()
    const { statusCode, headers } = await login.app.inject({ url: `${SSO}/oidc/idp/start?${query}` })
    t.equal(statusCode, 400, path)
    t.equal(headers.location, undefined)
  }
  const jar = { cookie: '' }
  const start = await login.start(jar, 'idp', '?return_to=%2Fsources%3Fa%3D%252F%252Fevil')
  const response = await login.callback(jar, provider.respond(start))
  t.equal(valueOf(response, 'return_to'), '/sources?a=%2F%2Fevil')
  t.equal(new URL(String(response.headers.location)).origin, 'https://gate.example.com')
})

t.test('an authorization request has PKCE, a state and a nonce that are never used again', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, {
    issuer: provider.issuer,
    settings: { prompt: 'select_account', scopes: ['openid', 'email', 'groups'] }
  })
  const seen = new Set<string | null>()
  for (let i = 0; i < 20; i++) {
    const { searchParams: query, origin, pathname } = new URL(await login.start({ cookie: '' }, 'idp', '?login_hint=ann@x.y'))
    t.equal(origin + pathname, `${provider.issuer}/authorize`)
    t.match(Object.fromEntries(query), {
      response_type: 'code',
      client_id: 'gate',
      redirect_uri: 'https://gate.example.com/v1/admin/auth/sso/oidc/idp/callback',
      scope: 'openid email groups',
      code_challenge_method: 'S256',
      code_challenge: /^[\w-]{43}$/,
      nonce: /^[\w-]{43}$/,
      prompt: 'select_account',
      login_hint: 'ann@x.y'
    })
    for (const name of ['state', 'nonce', 'code_challenge']) seen.add(query.get(name))
  }
  t.equal(seen.size, 60)
})

t.test('secrets that the token endpoint repeats in its error are not logged', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const jar = { cookie: '' }
  const url = provider.respond(await login.start(jar))
  const code = new URL(url).searchParams.get('code') ?? ''
  provider.answers.set('/token', (call, response) => {
    const text = `refused: ${call.body.toString()} ${call.headers.authorization} ${CLIENT_SECRET}`
    return reply({ error: 'invalid_grant', error_description: text }, 400)(call, response)
  })
  const { error, entry } = await login.refused(t, await login.callback(jar, url))
  t.equal(error, 'invalid_response')
  t.match(entry.changes, { detail: 'the provider refused the token request: invalid_grant' })
  const verifier = new URLSearchParams(provider.upstream.calls.at(-1)?.body.toString()).get('code_verifier') ?? ''
  const logged = login.log.text()
  t.match(logged, 'a login at an identity provider failed')
  for (const secret of [CLIENT_SECRET, verifier, code, Buffer.from(`gate:${CLIENT_SECRET}`).toString('base64')]) {
    t.ok(secret.length > 20)
    t.notOk(logged.includes(secret))
  }
})

t.test('no token of the provider is logged by a login that succeeds', async (t) => {
  const provider = await hostileOidc(t)
  provider.tokens = { access_token: 'a-secret-access-token', refresh_token: 'a-secret-refresh-token' }
  let idToken = ''
  provider.forge = ({ token }) => {
    idToken = token
    return token
  }
  const login = await oidcLogin(t, { issuer: provider.issuer })
  const pair = await tokensOf(login, provider.respond)
  const logged = login.log.text()
  t.ok(idToken.length > 100)
  for (const secret of [idToken, 'a-secret-access-token', 'a-secret-refresh-token', pair.refresh_token, CLIENT_SECRET]) {
    t.notOk(logged.includes(secret))
  }
})
