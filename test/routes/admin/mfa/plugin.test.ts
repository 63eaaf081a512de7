import Fastify from 'fastify'
import t from 'tap'

import adminGuard from '../../../../plugins/admin-guard/index.js'
import tokenStore from '../../../../plugins/token-store/index.js'
import { memoryStore } from '../../../../plugins/token-store/memory/index.js'
import adminAuth from '../../../../routes/admin/auth/index.js'
import adminMfa from '../../../../routes/admin/mfa/index.js'
import { PASSWORD, SECRET, cheapPasswords } from '../../../helpers/admin.js'
import { mfaApp, totpCode } from '../../../helpers/mfa.js'

async function bareApp () {
  const app = Fastify()
  await app.register(tokenStore, { store: memoryStore(), sweepEvery: 0 })
  return app
}

t.test('adminMfa needs adminAuth, and is registered once', async (t) => {
  const alone = await bareApp()
  await t.rejects(async () => await alone.register(adminMfa, { jwtSecrets: [SECRET] }), /adminLogins|gatehouse-admin-auth/)
  const app = await bareApp()
  await app.register(adminAuth, { jwtSecrets: [SECRET], passwords: await cheapPasswords() })
  await app.register(adminMfa, { jwtSecrets: [SECRET] })
  await t.rejects(async () => await app.register(adminMfa, { jwtSecrets: [SECRET], prefix: '/other' }), {
    code: 'INVALID_OPTIONS',
    message: /already registered/
  })
})

t.test('unknown and wrong options stop the start', async (t) => {
  const wrong: Array<[object, RegExp]> = [
    [{ passkey: {} }, /unknown option "passkey"; did you mean "passkeys"/],
    [{ rateLimit: false }, /it is now "userRateLimit"/],
    [{ appName: '' }, /appName/],
    [{ appName: 5 }, /appName/],
    [{ prefix: 'x' }, /prefix/]
  ]
  for (const [options, message] of wrong) {
    await t.rejects(mfaApp(t, { store: memoryStore(), mfa: options }), { code: 'INVALID_OPTIONS', message }, JSON.stringify(options))
  }
})

t.test('adminMfa works with the guard of the app, under a separate prefix', async (t) => {
  const app = await bareApp()
  t.teardown(() => app.close())
  const passwords = await cheapPasswords()
  await app.register(adminGuard, { jwtSecrets: [SECRET] })
  await app.register(adminAuth, { prefix: '/api/auth', passwords })
  await app.register(adminMfa, { prefix: '/api', appName: 'Example' })
  await app.tokenStore.users.create({
    orgId: 'default', email: 'ann@example.com', role: 'owner', passwordHash: await passwords.hash(PASSWORD)
  })
  const post = async (path: string, payload: object, token?: string) =>
    (await app.inject({
      method: 'POST',
      url: `/api/auth/${path}`,
      payload,
      ...token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }
    })).json()
  const { access_token: token } = await post('login', { email: 'ann@example.com', password: PASSWORD })
  const { secret, otpauth_url: url } = await post('mfa/totp', { current_password: PASSWORD }, token)
  t.equal(new URL(url).searchParams.get('issuer'), 'Example')
  t.equal((await post('mfa/totp/confirm', { code: totpCode(secret, Date.now()) }, token)).recovery_codes.length, 10)
  t.match(await post('login', { email: 'ann@example.com', password: PASSWORD }), { mfa_required: true })
})

t.test('the routes of a login are limited per address, the others per user', async (t) => {
  const app = await mfaApp(t, {
    mfa: { loginRateLimit: { max: 3, timeWindow: 60_000 }, userRateLimit: { max: 2, timeWindow: 60_000 } }
  })
  for (const name of ['ann', 'bob']) await app.addUser(`${name}@example.com`)
  const guess = async () => (await app.verify('x', '123456')).statusCode
  t.same([await guess(), await guess(), await guess()], [401, 401, 401])
  const limited = await app.verify('x', '123456')
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.ok(limited.headers['retry-after'])
  const [ann, bob] = [(await app.login('ann@example.com')).access_token, (await app.login('bob@example.com')).access_token]
  const read = async (token: string) => (await app.get('mfa', token)).statusCode
  t.same([await read(ann), await read(ann), await read(ann), await read(bob)], [200, 200, 429, 200])
})
