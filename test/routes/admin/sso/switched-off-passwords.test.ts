import t from 'tap'
import type { Test } from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { totpCode } from '../../../helpers/mfa.js'
import { SoftAuthenticator } from '../../../helpers/soft-authenticator.js'
import { trustingApp } from '../../../helpers/trusting-provider.js'

const ORIGIN = 'https://console.example.com'

async function setUp (t: Test) {
  const app = await trustingApp(t, { mfa: { passkeys: { rpId: 'example.com', origins: [ORIGIN] } }, sso: { domains: [] } })
  const { id } = await app.store.ssoDomains.add({ orgId: 'default', domain: 'example.com', token: 't' })
  await app.store.ssoDomains.verify('default', id)
  const refused = { code: 'FORBIDDEN', message: "Log in through your organisation's identity provider" }
  return { ...app, refused, requireSso: () => app.store.ssoDomains.update('default', id, { sso: 'required' }) }
}

t.test('with required single sign-on, a passkey logs in owners alone', async (t) => {
  const app = await setUp(t)
  const devices = await Promise.all((['viewer', 'owner'] as const).map(async (role) => {
    const email = `${role}@example.com`
    await app.addUser(email, role)
    const { access_token: token } = await app.login(email)
    const { options, challenge_token } =
      (await app.post('mfa/passkeys/options', { current_password: PASSWORD }, token)).json()
    const device = new SoftAuthenticator(ORIGIN)
    const body = { challenge_token, name: 'Key', credential: device.create(options) }
    t.equal((await app.post('mfa/passkeys', body, token)).statusCode, 201)
    return device
  }))
  const login = async (device: SoftAuthenticator | undefined) => {
    const { options, challenge_token } = (await app.post('passkey/options', {})).json()
    return app.post('passkey/login', { challenge_token, credential: device?.get(options) })
  }
  for (const device of devices) t.equal((await login(device)).statusCode, 200, 'while it is optional')
  await app.requireSso()
  const reply = await login(devices[0])
  t.equal(reply.statusCode, 403)
  t.match(reply.json().error, app.refused)
  t.equal((await login(devices[1])).statusCode, 200)
})

t.test('a password login that waits for its second factor starts no session once it is required', async (t) => {
  const app = await setUp(t)
  const { id } = await app.addUser('ann@example.com')
  await app.store.organisations.update('default', { mfa: 'required' })
  const { mfa_token: token } = (await app.post('login', { email: 'ann@example.com', password: PASSWORD })).json()
  const { secret } = (await app.post('mfa/enrol/totp', { mfa_token: token })).json()
  await app.requireSso()
  const code = totpCode(secret, app.clock.now)
  const reply = await app.post('mfa/enrol/totp/confirm', { mfa_token: token, code })
  t.equal(reply.statusCode, 403)
  t.match(reply.json().error, app.refused)
  t.strictSame(await app.store.sessions.list(id), [])
})
