import t from 'tap'
import type { Test } from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { totpCode } from '../../../helpers/mfa.js'
import { SoftAuthenticator } from '../../../helpers/soft-authenticator.js'
import { trustingApp } from '../../../helpers/trusting-provider.js'

const ANN = 'ann@example.com'
const ORIGIN = 'https://console.example.com'

/** Ann is a member of `org-b`, and of `default`, whose provider is hostile. */
async function annInBoth (t: Test) {
  const app = await trustingApp(t, { mfa: { passkeys: { rpId: 'example.com', origins: [ORIGIN] } } })
  const { id } = await app.addUser(ANN, 'owner', 'org-b')
  await app.store.members.add({ orgId: 'default', userId: id, role: 'viewer' })
  return { ...app, id }
}

t.test('a login at a provider cannot set up a passkey, which would log in to other organisations', async (t) => {
  const app = await annInBoth(t)
  await app.store.organisations.update('default', { mfa: 'required' })
  const { mfa_token: token } = (await app.loginAt({ email: ANN })).json()
  for (const [path, body] of [
    ['mfa/enrol/passkeys/options', {}],
    ['mfa/enrol/passkeys', {
      challenge_token: 'x',
      name: 'Key',
      credential: new SoftAuthenticator(ORIGIN).create({
        challenge: 'AAAA', rp: { id: 'example.com' }, user: { id: 'AAAA' }
      })
    }]
  ] as const) {
    const reply = await app.post(path, { mfa_token: token, ...body })
    t.equal(reply.statusCode, 403, path)
    t.equal(reply.json().error.code, 'FORBIDDEN')
  }
  const { secret } = (await app.post('mfa/enrol/totp', { mfa_token: token })).json()
  const enrolled = await app.post('mfa/enrol/totp/confirm', { mfa_token: token, code: totpCode(secret, app.clock.now) })
  t.equal(enrolled.statusCode, 200, 'an app can be set up')

  const { access_token: access } = enrolled.json().tokens
  const options = await app.post('mfa/passkeys/options', {}, access)
  t.equal(options.statusCode, 400, 'and its session needs the password for a passkey')
  t.match(options.json().error.details, [{ path: '/current_password' }])
  t.equal((await app.post('mfa/passkeys/options', { current_password: 'a wrong password' }, access)).statusCode, 401)
  t.equal((await app.post('mfa/passkeys/options', { current_password: PASSWORD }, access)).statusCode, 200)
})

t.test('a factor that a provider claims does not count once the user has a factor here', async (t) => {
  const app = await annInBoth(t)
  const { access_token: hostile } = (await app.loginAt({ email: ANN, mfaAt: app.clock.now })).json()
  t.equal((await app.get('mfa', hostile)).json().confirmed_at, new Date(app.clock.now).toISOString())

  const { access_token: own } = (await app.post('login', { email: ANN, password: PASSWORD, org_id: 'org-b' })).json()
  const { secret } = (await app.post('mfa/totp', { current_password: PASSWORD }, own)).json()
  t.equal((await app.post('mfa/totp/confirm', { code: totpCode(secret, app.clock.now) }, own)).statusCode, 200)

  t.equal((await app.get('mfa', hostile)).json().confirmed_at, null)
  const removed = await app.app.inject({
    method: 'DELETE', url: '/v1/admin/auth/mfa/totp', headers: { authorization: `Bearer ${hostile}` }
  })
  t.equal(removed.statusCode, 401)
  t.not((await app.store.factors.get(app.id)).totp, null)
  t.match((await app.loginAt({ email: ANN, mfaAt: app.clock.now })).json(), { mfa_required: true, methods: ['totp', 'recovery_code'] })
})

t.test('a session of a provider shows and ends nothing of other organisations', async (t) => {
  const app = await annInBoth(t)
  await app.post('login', { email: ANN, password: PASSWORD, org_id: 'org-b' })
  const [other] = await app.store.sessions.list(app.id)
  const { access_token: token } = (await app.loginAt({ email: ANN })).json()
  const organisations = (await app.get('organisations', token)).json().data
  t.match(organisations, [{ id: 'default', current: true }])
  t.equal(organisations.length, 1)
  const sessions = (await app.get('sessions', token)).json().data
  t.match(sessions, [{ org_id: 'default', current: true }])
  t.equal(sessions.length, 1)
  const end = (id: string) => app.app.inject({
    method: 'DELETE', url: `/v1/admin/auth/sessions/${id}`, headers: { authorization: `Bearer ${token}` }
  })
  t.equal((await end(other?.id ?? '')).statusCode, 404)
  t.equal((await app.store.sessions.list(app.id)).length, 2)
  t.equal((await end(sessions[0].id)).statusCode, 204, 'it ends itself')
  t.equal((await app.post('switch', { org_id: 'org-b' }, token)).statusCode, 401)
})

t.test('a former member with an email of another domain does not join again', async (t) => {
  const app = await annInBoth(t)
  await app.loginAt({ email: ANN })
  await app.store.members.remove('default', app.id)
  await app.store.users.replaceEmail(app.id, { from: ANN, to: 'ann@example.net' })
  const refused = await app.finish({ email: ANN })
  t.match(refused.headers.location, /#sso_error=not_allowed$/)
  t.equal(await app.store.members.get('default', app.id), null)

  await app.store.users.replaceEmail(app.id, { from: 'ann@example.net', to: ANN })
  t.match((await app.finish({ email: ANN })).headers.location, /#sso=/)
})

t.test('a member keeps the login at the provider after a change of the email to another domain', async (t) => {
  const app = await annInBoth(t)
  await app.loginAt({ email: ANN })
  await app.store.users.replaceEmail(app.id, { from: ANN, to: 'ann@example.net' })
  t.equal((await app.loginAt({ email: ANN })).statusCode, 200)
})

t.test('an email with a look-alike of an ASCII letter belongs to nobody', async (t) => {
  const app = await annInBoth(t)
  await app.addUser('kim@example.com')
  for (const email of ['\u212aim@example.com', 'k\u0130m@example.com', 'kim@\u212aexample.com']) {
    const refused = await app.finish({ subject: 'kim', email })
    t.match(refused.headers.location, /#sso_error=email_not_verified$/, email)
  }
  t.match((await app.finish({ subject: 'kim', email: 'KIM@EXAMPLE.COM' })).headers.location, /#sso=/)
})
