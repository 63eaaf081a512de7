import t from 'tap'

import { readConfig } from '../../server/config/index.js'
import { COMMANDS } from '../../server/commands/index.js'
import { demoApp } from '../helpers/server-app.js'
import { totpCode } from '../helpers/mfa.js'

t.test('the server asks for a second factor, and passkeys are valid on localhost', async (t) => {
  const { app, first } = await demoApp(t)
  const { email, generatedPassword: password } = first
  const post = (path: string, payload: object, token?: string) =>
    app.inject({
      method: 'POST',
      url: `/v1/admin/auth/${path}`,
      payload,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
    })
  const { access_token: token } = (await post('login', { email, password })).json()
  const { secret, otpauth_url: url } = (await post('mfa/totp', { current_password: password }, token)).json()
  t.equal(new URL(url).searchParams.get('issuer'), 'fastify-gatehouse')
  t.equal((await post('mfa/totp/confirm', { code: totpCode(secret, Date.now()) }, token)).statusCode, 200)
  t.match((await post('login', { email, password })).json(), { mfa_required: true, methods: ['totp', 'recovery_code'] })
  t.match((await post('passkey/options', {})).json(), { options: { rpId: 'localhost' } })
})

t.test('with MFA=off a user who has a second factor cannot log in', async (t) => {
  const { app, first, store } = await demoApp(t, { MFA: 'off' })
  const { email, generatedPassword: password } = first
  const login = async () =>
    (await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })).statusCode
  t.equal(await login(), 200)
  const user = await store.users.findByEmail(email)
  await store.factors.proposeTotp(user?.id ?? '', 'SECRET')
  await store.factors.confirmTotp(user?.id ?? '', { secret: 'SECRET', step: 1, recoveryDigests: [] })
  t.equal(await login(), 403)
  t.equal((await app.inject({ method: 'POST', url: '/v1/admin/auth/mfa/verify', payload: {} })).statusCode, 404)
})

t.test('MFA_ORIGINS and MFA_RP_ID say where passkeys are valid', async (t) => {
  const passkeysOf = (variables: Record<string, string>) => readConfig(variables).mfa?.passkeys
  t.same(passkeysOf({}), null)
  t.same(passkeysOf({ MFA_ORIGINS: 'https://a.example.com' }), {
    rpId: 'a.example.com',
    origins: ['https://a.example.com']
  })
  t.same(passkeysOf({ MFA_ORIGINS: 'https://a.example.com, https://example.com', MFA_RP_ID: 'example.com' }), {
    rpId: 'example.com',
    origins: ['https://a.example.com', 'https://example.com']
  })
  t.equal(readConfig({ MFA: 'off' }).mfa, null)
})

t.test('a start requires the packages of second factors only where they are on', (t) => {
  const added = (environment: NodeJS.ProcessEnv) =>
    COMMANDS['start']?.needs(environment).filter((name) => ['otplib', '@simplewebauthn/server'].includes(name))
  t.same(added({}), ['otplib', '@simplewebauthn/server'])
  t.same(added({ NODE_ENV: 'production' }), ['otplib'])
  t.same(added({ NODE_ENV: 'production', MFA_ORIGINS: 'https://a.test' }), ['otplib', '@simplewebauthn/server'])
  t.same(added({ MFA: 'off' }), [])
  t.end()
})
