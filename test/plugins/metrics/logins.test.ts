import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import metrics from '../../../plugins/metrics/index.js'
import { PASSWORD } from '../../helpers/admin.js'
import { hostileOidc } from '../../helpers/hostile-oidc.js'
import { mfaApp, totpCode, wrongCode } from '../../helpers/mfa.js'
import { scraped } from '../../helpers/metrics.js'
import { oidcLogin, tokensOf, valueOf } from '../../helpers/oidc-login.js'
import { samlApp } from '../../helpers/saml-app.js'
import { SoftAuthenticator } from '../../helpers/soft-authenticator.js'

const ANN = 'ann@example.com'
const ORIGIN = 'https://console.example.com'
const LOGINS = 'gatehouse_logins_total'
const METHODS = ['password', 'passkey', 'oidc', 'saml', 'second_factor'] as const
const before = async (app: FastifyInstance) => { await app.register(metrics) }

type Counts = Partial<Record<typeof METHODS[number], number>>

/** Asserts the logins of an outcome, by their method; those of other methods are 0. */
async function logins (t: Test, app: FastifyInstance, outcome: string, expected: Counts): Promise<void> {
  const samples = await scraped(app)
  for (const method of METHODS) {
    t.equal(samples.sum(LOGINS, { outcome, method }), expected[method] ?? 0, `${outcome} ${method}`)
  }
}

t.test('logins with a password are counted, and refused codes of a second factor', async (t) => {
  const app = await mfaApp(t, { before, auth: { lockout: { max: 2 } } })
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  await app.loginWithCode(ANN, secret)
  const { mfa_token: token } = await app.challenge(ANN)
  for (let attempt = 0; attempt < 3; attempt++) await app.verify(token, wrongCode(secret, app.clock.now))
  await app.post('login', { email: ANN, password: 'wrong password' })
  await logins(t, app.app, 'succeeded', { password: 2 })
  await logins(t, app.app, 'challenged', { password: 2 })
  await logins(t, app.app, 'failed', { password: 1, second_factor: 2 })
  await logins(t, app.app, 'locked', { second_factor: 1 })
})

t.test('logins with a passkey are counted, and refused ones', async (t) => {
  const app = await mfaApp(t, { before, mfa: { passkeys: { rpId: 'example.com', origins: [ORIGIN] } } })
  await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  const device = new SoftAuthenticator(ORIGIN)
  const { options, challenge_token } =
    (await app.post('mfa/passkeys/options', { current_password: PASSWORD }, token)).json()
  await app.post('mfa/passkeys', { challenge_token, name: 'Key', credential: device.create(options) }, token)
  for (const status of [200, 401]) {
    const login = (await app.post('passkey/options', {})).json()
    const credential = (status === 200 ? device : new SoftAuthenticator('https://other.example')).get(login.options)
    const body = { challenge_token: login.challenge_token, credential }
    t.equal((await app.post('passkey/login', body)).statusCode, status)
  }
  await logins(t, app.app, 'succeeded', { password: 1, passkey: 1 })
  await logins(t, app.app, 'failed', { passkey: 1 })
})

t.test('logins at a provider of OpenID Connect are counted, with and without a second factor here', async (t) => {
  const provider = await hostileOidc(t)
  const login = await oidcLogin(t, { issuer: provider.issuer, mfa: {}, before })
  await tokensOf(login, (url) => provider.respond(url))
  await login.store.organisations.update('default', { mfa: 'required' })
  const jar = { cookie: '' }
  const response = await login.exchange(jar, await login.callback(jar, provider.respond(await login.start(jar))))
  const { mfa_token: token } = response.json<{ mfa_token: string }>()
  const { secret } = (await login.post('mfa/enrol/totp', { mfa_token: token })).json<{ secret: string }>()
  const code = totpCode(secret, login.clock.now)
  t.equal((await login.post('mfa/enrol/totp/confirm', { mfa_token: token, code })).statusCode, 200)
  const refused = await login.callback(jar, provider.respond(await login.start(jar), { error: 'access_denied' }))
  t.equal(valueOf(refused, 'sso_error'), 'access_denied')

  await logins(t, login.app, 'succeeded', { oidc: 2 })
  await logins(t, login.app, 'challenged', { oidc: 1 })
  await logins(t, login.app, 'failed', { oidc: 1 })
  const entries = (await login.audited('auth.sso_login', 'default', 2)).filter(({ action }) => action === 'auth.sso_login')
  t.same(entries.map(({ changes }) => changes?.['provider_kind']), ['oidc', 'oidc'])
})

t.test('logins at a SAML provider are counted, and refused ones', async (t) => {
  const app = await samlApp(t, { before })
  t.equal((await app.exchange(await app.finish())).statusCode, 200)
  t.equal((await app.finish({ issuer: 'https://other.example' })).statusCode, 303)
  await logins(t, app.app, 'succeeded', { saml: 1 })
  await logins(t, app.app, 'failed', { saml: 1 })
})

t.test('all series of logins start at 0', async (t) => {
  const app = await mfaApp(t, { before })
  const samples = await scraped(app.app)
  t.equal(samples.sum(LOGINS), 0)
  t.same(samples.values(LOGINS, 'method'), [...METHODS].sort())
})
