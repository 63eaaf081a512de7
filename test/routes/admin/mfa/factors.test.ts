import t from 'tap'

import { PASSWORD, decode } from '../../../helpers/admin.js'
import { mfaApp, totpCode, wrongCode } from '../../../helpers/mfa.js'

const ANN = 'ann@example.com'
const NONE = { totp: null, passkeys: [], recovery_codes_left: 0, required: false, confirmed_at: null }

t.test('a user sets up an authenticator app with the current password and a code', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  t.same((await app.get('mfa', token)).json(), NONE)
  for (const body of [undefined, {}, { current_password: 'wrong' }]) {
    const reply = await app.post('mfa/totp', body, token)
    t.equal(reply.statusCode, body?.current_password === undefined ? 400 : 401)
    t.equal(await app.store.factors.proposedTotp(id), null, 'a stolen access token sets up nothing')
  }
  t.equal((await app.post('mfa/totp/confirm', { code: '123456' }, token)).json().error.code, 'CONFLICT')
  const { secret, otpauth_url: url } = (await app.post('mfa/totp', { current_password: PASSWORD }, token)).json()
  t.match(url, /^otpauth:\/\/totp\/fastify-gatehouse:ann%40example\.com\?/)
  t.same((await app.get('mfa', token)).json(), NONE, 'nothing takes effect before the confirmation')
  const wrong = await app.post('mfa/totp/confirm', { code: wrongCode(secret, app.clock.now) }, token)
  t.equal(wrong.statusCode, 400)
  t.match(wrong.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/code' }] })
  const reply = await app.post('mfa/totp/confirm', { code: totpCode(secret, app.clock.now) }, token)
  t.equal(reply.statusCode, 200)
  t.equal(reply.json().recovery_codes.length, 10)
  const at = new Date(app.clock.now).toISOString()
  t.same((await app.get('mfa', token)).json(), {
    ...NONE,
    totp: { confirmed_at: at },
    recovery_codes_left: 10,
    confirmed_at: at
  })
  t.equal((await app.post('mfa/totp/confirm', { code: totpCode(secret, app.clock.now) }, token)).statusCode, 409)
  const entries = await app.audited('auth.mfa_enrolled')
  t.match(entries.find(({ action }) => action === 'auth.mfa_enrolled'), {
    userId: id,
    changes: { method: 'totp', first: true }
  })
})

t.test('a change of factors needs a fresh factor, and the app can be replaced', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  const { access_token: other } = await app.login(ANN)
  const { secret } = await app.enrol(token)
  const changes = ['POST mfa/totp', 'POST mfa/totp/confirm', 'DELETE mfa/totp', 'POST mfa/recovery-codes']
  for (const change of changes) {
    const [method = '', url = ''] = change.split(' ')
    const payload = { ...url.endsWith('confirm') ? { code: '123456' } : {} }
    const reply = await app.app.inject({
      method: method as 'POST',
      url: `/v1/admin/auth/${url}`,
      headers: { authorization: `Bearer ${other}` },
      ...method === 'POST' ? { payload } : {}
    })
    t.equal(reply.statusCode, 401, `${change} in a session that proved no factor`)
    t.match(reply.headers['www-authenticate'], /insufficient_user_authentication/)
  }
  const { secret: next } = (await app.post('mfa/totp', {}, token)).json()
  t.not(next, secret)
  app.clock.now += 30_000
  const replaced = await app.post('mfa/totp/confirm', { code: totpCode(next, app.clock.now) }, token)
  t.same(replaced.json(), { recovery_codes: [] }, 'the recovery codes stay')
  t.equal((await app.store.factors.get(id)).recoveryCodes, 10)
  await app.loginWithCode(ANN, next)
  app.clock.now += 30_000
  const old = await app.verify((await app.challenge(ANN)).mfa_token, totpCode(secret, app.clock.now))
  t.equal(old.statusCode, 401, 'the former secret')
})

t.test('recovery codes are replaced, and end with the last factor', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  t.equal((await app.post('mfa/recovery-codes', {}, token)).json().error.code, 'CONFLICT')
  const { recoveryCodes: [former = ''] } = await app.enrol(token)
  const { recovery_codes: codes } = (await app.post('mfa/recovery-codes', {}, token)).json()
  t.equal(codes.length, 10)
  t.equal((await app.verify((await app.challenge(ANN)).mfa_token, former)).statusCode, 401)
  t.equal((await app.verify((await app.challenge(ANN)).mfa_token, codes[0])).statusCode, 200)
  t.equal((await app.send('DELETE', 'auth/mfa/totp', token)).statusCode, 204)
  t.equal((await app.send('DELETE', 'auth/mfa/totp', token)).statusCode, 404)
  t.match((await app.get('mfa', token)).json(), { totp: null, recovery_codes_left: 0 })
  await app.login(ANN)
  const removed = (await app.audited('auth.mfa_removed')).find(({ action }) => action === 'auth.mfa_removed')
  t.match(removed, { changes: { method: 'totp' } })
})

t.test('a code confirms the session for 5 minutes, and wrong codes lock this session alone', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const { access_token: token } = await app.loginWithCode(ANN, secret)
  app.clock.now += 301_000
  const isFresh = async () => (await app.post('mfa/recovery-codes', {}, token)).statusCode === 200
  const stepUp = async (code: string) => app.post('mfa/step-up', { code }, token)
  t.equal(await isFresh(), false)
  t.equal((await stepUp(totpCode(secret, app.clock.now))).statusCode, 204)
  t.equal(await isFresh(), true)
  t.equal((await stepUp(totpCode(secret, app.clock.now))).statusCode, 401, 'the same code again')
  for (let count = 0; count < 4; count++) await stepUp(wrongCode(secret, app.clock.now))
  app.clock.now += 30_000
  t.equal((await stepUp(totpCode(secret, app.clock.now))).json().error.code, 'ACCOUNT_LOCKED')
  const { access_token: other } = await app.loginWithCode(ANN, secret)
  app.clock.now += 301_000
  t.equal((await app.post('mfa/step-up', { code: totpCode(secret, app.clock.now) }, other)).statusCode, 204)
  for (const body of [{}, { code: '123456', challenge_token: 'x' }, { challenge_token: 'x' }, { code: 5 }]) {
    t.equal((await app.post('mfa/step-up', body, other)).statusCode, 400, JSON.stringify(body))
  }
  t.ok((await app.audited('auth.mfa_verified')).length > 0)
})

t.test('deleting a source and rotating a key need a fresh factor of a user who has one', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN, 'owner')
  const { access_token: token } = await app.login(ANN)
  const create = async () => (await app.post('/v1/admin/sources', { name: 'Shop' }, token)).json().id as string
  const [first, second] = [await create(), await create()]
  t.equal((await app.send('DELETE', `sources/${first}`, token)).statusCode, 204, 'without a factor')
  await app.enrol(token)
  app.clock.now += 301_000
  const rotate = () => app.post(`/v1/admin/sources/${second}/rotate-key`, {}, token)
  t.equal((await app.send('DELETE', `sources/${second}`, token)).statusCode, 401)
  t.equal((await rotate()).statusCode, 401)
  t.equal((await app.send('GET', `sources/${second}`, token)).statusCode, 200)
  await app.store.sessions.confirm(String(decode(token).claims['sid']), app.clock.now)
  t.equal((await rotate()).statusCode, 200)
  t.equal((await app.send('DELETE', `sources/${second}`, token)).statusCode, 204)
})

t.test('a page of another site that may call reads that a fresh factor is needed', async (t) => {
  const origin = 'https://console.example.com'
  const app = await mfaApp(t, { mfa: { cors: { origins: [origin] } } })
  await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  await app.enrol(token)
  app.clock.now += 301_000
  const reply = await app.app.inject({
    method: 'DELETE',
    url: '/v1/admin/auth/mfa/totp',
    headers: { origin, authorization: `Bearer ${token}` }
  })
  t.equal(reply.statusCode, 401)
  t.equal(reply.headers['access-control-allow-origin'], origin)
  t.match(reply.headers['access-control-expose-headers'], /www-authenticate/)
})

t.test('without the option passkeys there are no routes for passkeys', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  for (const path of ['mfa/passkeys', 'mfa/passkeys/options', 'mfa/passkey/options', 'passkey/options', 'passkey/login',
    'mfa/step-up/options', 'mfa/enrol/passkeys']) {
    t.equal((await app.post(path, {}, token)).statusCode, 404, path)
  }
})
