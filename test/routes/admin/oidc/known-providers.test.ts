import t from 'tap'

import { DISCOVERY, hostileOidc } from '../../../helpers/hostile-oidc.js'
import { signingKey } from '../../../helpers/identity-provider.js'
import { oidcLogin, SSO, tokensOf, valueOf } from '../../../helpers/oidc-login.js'
import { hang, reply } from '../../../helpers/stub-upstream.js'

const timeout = 300

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
  const invented = await signingKey('invented', 'RS256')
  for (let i = 0; i < 10; i++) {
    provider.answers.set('/keys', reply({ keys: published.map(({ jwk }) => jwk) }))
    provider.keys = [{ ...invented, kid: `invented-${i}` }]
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
