import t from 'tap'

import { DISCOVERY, hostileOidc } from '../../../helpers/hostile-oidc.js'
import { signingKey } from '../../../helpers/identity-provider.js'
import { oidcLogin, SSO, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import { cut, drip, flood, gzipBomb, hang, junk, redirect, reply } from '../../../helpers/stub-upstream.js'
import type { Answer } from '../../../helpers/stub-upstream.js'
import { canary } from '../../../helpers/canary.js'

const AWAY: Record<string, Answer> = {
  hangs: hang,
  drips: drip(),
  'ends the connection': cut,
  'sends no HTTP': junk,
  'sends 300 MB': flood(300_000_000),
  'sends a compressed bomb': gzipBomb(50_000_000),
  'has status 500': reply({ error: 'server_error' }, 500),
  'has status 429': reply({}, 429)
}
const UNUSABLE: Record<string, Answer> = {
  'is HTML': reply('<html>'),
  'is no JSON': reply('{', 200, { 'content-type': 'application/json' }),
  'is a list': reply([]),
  'has status 404': reply({}, 404)
}
const timeout = 300

for (const path of [DISCOVERY, '/token', '/keys', '/userinfo']) {
  t.test(`a login fails, and nothing else, while ${path} of the provider`, async (t) => {
    for (const [title, answer] of Object.entries({ ...AWAY, ...UNUSABLE })) {
      await t.test(title, async (t) => {
        const provider = await hostileOidc(t)
        const login = await oidcLogin(t, { issuer: provider.issuer, plugin: { timeout } })
        if (path === '/userinfo') provider.claims = { email: undefined }
        provider.answers.set(path, answer)
        const jar = { cookie: '' }
        const url = path === DISCOVERY ? null : provider.respond(await login.start(jar))
        const response = url === null
          ? await login.app.inject({ url: `${SSO}/oidc/idp/start` })
          : await login.callback(jar, url)
        const { error, entry } = await login.refused(t, response)
        const isAway = title in AWAY || path === DISCOVERY || path === '/keys'
        t.equal(error, isAway ? 'provider_unavailable' : 'invalid_response')
        t.match(entry.changes, { reason: error, detail: String })
        provider.answers.clear()
        login.clock.now += 10_000
        provider.claims = {}
        t.ok((await tokensOf(login, provider.respond)).access_token, 'the next login succeeds')
      })
    }
  })

  t.test(`a redirect of ${path} is not followed`, async (t) => {
    const provider = await hostileOidc(t)
    const trap = await canary(t)
    const login = await oidcLogin(t, { issuer: provider.issuer })
    if (path === '/userinfo') provider.claims = { email: undefined }
    provider.answers.set(path, redirect(`${trap.origin}/`, 307))
    const jar = { cookie: '' }
    const url = path === DISCOVERY ? null : provider.respond(await login.start(jar))
    const response = url === null
      ? await login.app.inject({ url: `${SSO}/oidc/idp/start` })
      : await login.callback(jar, url)
    t.ok((await login.refused(t, response)).error)
    t.equal(trap.connections(), 0)
  })
}

t.test('a provider that is away does not delay a login at another provider', async (t) => {
  const [away, other] = [await hostileOidc(t), await hostileOidc(t)]
  away.answers.set(DISCOVERY, hang)
  const login = await oidcLogin(t, {
    issuer: other.issuer,
    plugin: {
      timeout: 8_000,
      providers: [{
        id: 'away', orgId: 'default', name: 'Away', settings: { issuer: away.issuer, client_id: 'gate' }, secrets: ['s'.repeat(32)]
      }]
    }
  })
  let isOver = false
  const slow = login.app.inject({ url: `${SSO}/oidc/away/start` }).then(() => { isOver = true })
  t.ok((await tokensOf(login, other.respond)).access_token)
  t.notOk(isOver)
  await away.upstream.close()
  await slow
})

t.test('discovery document and keys are fetched once for many logins, and once for concurrent ones', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  await Promise.all(Array.from({ length: 20 }, () => tokensOf(login, provider.respond)))
  for (let i = 0; i < 5; i++) await tokensOf(login, provider.respond)
  t.equal(provider.calls(DISCOVERY), 1)
  t.equal(provider.calls('/keys'), 1)
  login.clock.now += 3_600_001
  provider.claims = { iat: Math.floor(login.clock.now / 1_000), exp: Math.floor(login.clock.now / 1_000) + 60 }
  await tokensOf(login, provider.respond)
  t.equal(provider.calls(DISCOVERY), 2)
})

t.test('a known provider whose discovery document is away is used on', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer, plugin: { timeout } })
  await tokensOf(login, provider.respond)
  login.clock.now += 3_600_001
  provider.claims = { iat: Math.floor(login.clock.now / 1_000), exp: Math.floor(login.clock.now / 1_000) + 60 }
  provider.answers.set(DISCOVERY, hang)
  await tokensOf(login, provider.respond)
  await tokensOf(login, provider.respond)
  t.equal(provider.calls(DISCOVERY), 2, 'one attempt in a minute')
})

t.test('a new key of the provider is fetched when a token names it, invented keys at most every 30 seconds', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer })
  await tokensOf(login, provider.respond)
  const [first] = provider.keys
  login.clock.now += 31_000
  provider.keys = [await signingKey('second', 'RS256'), ...first === undefined ? [] : [first]]
  await tokensOf(login, provider.respond)
  t.equal(provider.calls('/keys'), 2)
  const published = provider.keys
  for (let i = 0; i < 10; i++) {
    provider.answers.set('/keys', reply({ keys: published.map(({ jwk }) => jwk) }))
    provider.keys = [{ ...await signingKey('invented', 'RS256'), kid: `invented-${i}` }]
    const jar = { cookie: '' }
    const response = await login.callback(jar, provider.respond(await login.start(jar)))
    t.equal((await login.refused(t, response)).error, 'invalid_response')
  }
  t.equal(provider.calls('/keys'), 2, 'within the 30 seconds nothing is fetched')
})

t.test('URLs of the discovery document must be https URLs, or on the machine of the issuer', async (t) => {
  for (const discovery of [
    { authorization_endpoint: 'javascript:alert(1)' },
    { authorization_endpoint: 'http://login.example.com/' },
    { authorization_endpoint: undefined },
    { token_endpoint: 'http://169.254.169.254/token' },
    { token_endpoint: 'file:///etc/passwd' },
    { jwks_uri: 'http://10.0.0.1/keys' },
    { userinfo_endpoint: 'https://user:password@example.com/' },
    { end_session_endpoint: 'data:text/html,x' },
    { issuer: 'https://other.example' },
    { issuer: undefined }
  ]) {
    const provider = await hostileOidc(t)
    provider.discovery = discovery
    const login = await oidcLogin(t, { issuer: provider.issuer })
    const response = await login.app.inject({ url: `${SSO}/oidc/idp/start` })
    t.equal(valueOf(response, 'sso_error'), 'provider_unavailable', JSON.stringify(discovery))
  }
})
