import t from 'tap'

import { decode } from '../../../helpers/admin.js'
import { mfaApp, totpCode } from '../../../helpers/mfa.js'
import type { MfaApp } from '../../../helpers/mfa.js'

const ANN = 'ann@example.com'
const OWNER = 'owner@example.com'

/** An organisation that requires a second factor. */
async function require (app: MfaApp, orgId = 'default'): Promise<void> {
  await app.store.organisations.update(orgId, { mfa: 'required' })
}

t.test('an owner changes the organisation, and needs a second factor to require one', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(OWNER, 'owner')
  const { access_token: token } = await app.login(OWNER)
  t.match((await app.send('GET', 'organisation', token)).json(), { id: 'default', mfa: 'optional', max_users: null })
  t.equal((await app.send('PATCH', 'organisation', token, { name: 'Acme' })).json().name, 'Acme')
  const early = await app.send('PATCH', 'organisation', token, { mfa: 'required' })
  t.equal(early.statusCode, 409)
  t.equal((await app.store.organisations.get('default'))?.mfa, 'optional')
  await app.enrol(token)
  t.equal((await app.send('PATCH', 'organisation', token, { mfa: 'required' })).json().mfa, 'required')
  app.clock.now += 301_000
  t.equal((await app.send('PATCH', 'organisation', token, { mfa: 'optional' })).statusCode, 401, 'not fresh')
  const changes = (await app.audited('organisation.updated', 'default', 2))
    .filter(({ action }) => action === 'organisation.updated').map((entry) => entry.changes)
  t.same(changes, [{ mfa: 'required' }, { name: 'Acme' }])
  for (const body of [{}, { mfa: 'on' }, { name: '' }, { id: 'x' }, { max_users: 1 }, { name: 'a\nb' }]) {
    t.equal((await app.send('PATCH', 'organisation', token, body)).statusCode, 401, 'the factor comes first')
  }
  await app.store.sessions.confirm(String(decode(token).claims['sid']), app.clock.now)
  for (const body of [{}, { mfa: 'on' }, { name: '' }, { id: 'x' }, { max_users: 1 }, { name: 'a\nb' }]) {
    t.equal((await app.send('PATCH', 'organisation', token, body)).statusCode, 400, JSON.stringify(body))
  }
})

t.test('other roles read the organisation and do not change it', async (t) => {
  const app = await mfaApp(t)
  for (const role of ['admin', 'editor', 'viewer'] as const) {
    await app.addUser(`${role}@example.com`, role)
    const { access_token: token } = await app.login(`${role}@example.com`)
    t.equal((await app.send('GET', 'organisation', token)).statusCode, 200, role)
    t.equal((await app.send('PATCH', 'organisation', token, { name: 'Mine' })).statusCode, 403, role)
  }
})

t.test('a user without a factor sets up an app in the login to an organisation that requires it', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  await require(app)
  const challenge = await app.challenge(ANN)
  t.match(challenge, { mfa_required: true, enrolment_required: true, methods: [], expires_in: 900 })
  const { mfa_token: token } = challenge
  t.equal((await app.verify(token, '123456')).statusCode, 401, 'the token is for the set-up')
  const { secret } = (await app.post('mfa/enrol/totp', { mfa_token: token })).json()
  const wrong = await app.post('mfa/enrol/totp/confirm', { mfa_token: token, code: '000000' })
  t.equal(wrong.statusCode, 400)
  const code = totpCode(secret, app.clock.now)
  const reply = await app.post('mfa/enrol/totp/confirm', { mfa_token: token, code })
  t.equal(reply.statusCode, 200)
  t.equal(reply.json().recovery_codes.length, 10)
  const { access_token: access } = reply.json().tokens
  t.equal((await app.get('me', access)).json().id, id)
  t.equal((await app.get('mfa', access)).json().confirmed_at, new Date(app.clock.now).toISOString())
  for (const path of ['mfa/enrol/totp', 'mfa/enrol/totp/confirm']) {
    const body = { mfa_token: token, ...path.endsWith('confirm') ? { code } : {} }
    t.equal((await app.post(path, body)).statusCode, 401, `${path} once more`)
  }
  t.match(await app.challenge(ANN), { methods: ['totp', 'recovery_code'] })
  await app.loginWithCode(ANN, secret)
})

t.test('a second set-up of the same login does not replace the factor of the first', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  await require(app)
  const [mine, theirs] = [(await app.challenge(ANN)).mfa_token, (await app.challenge(ANN)).mfa_token]
  await app.post('mfa/enrol/totp', { mfa_token: theirs })
  const { secret } = (await app.post('mfa/enrol/totp', { mfa_token: mine })).json()
  const code = totpCode(secret, app.clock.now)
  t.equal((await app.post('mfa/enrol/totp/confirm', { mfa_token: mine, code })).statusCode, 200)
  t.equal((await app.post('mfa/enrol/totp', { mfa_token: theirs })).statusCode, 401)
})

t.test('the token of a set-up ends after 15 minutes', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  await require(app)
  const { mfa_token: token } = await app.challenge(ANN)
  app.clock.now += 899_000
  t.equal((await app.post('mfa/enrol/totp', { mfa_token: token })).statusCode, 200)
  app.clock.now += 1_000
  t.equal((await app.post('mfa/enrol/totp', { mfa_token: token })).statusCode, 401)
})

t.test('the last factor stays while an organisation of the user requires one', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  const { access_token: token } = await app.login(ANN)
  await app.enrol(token)
  await app.store.organisations.create({ id: 'org-b', name: 'B', mfa: 'required' })
  await app.store.members.add({ orgId: 'org-b', userId: id, role: 'viewer' })
  const reply = await app.send('DELETE', 'auth/mfa/totp', token)
  t.equal(reply.statusCode, 409)
  t.equal(reply.json().error.code, 'CONFLICT')
  await app.store.members.remove('org-b', id)
  t.equal((await app.send('DELETE', 'auth/mfa/totp', token)).statusCode, 204)
})

t.test('the policy of the organisation that the login names applies', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  await app.store.organisations.create({ id: 'org-b', name: 'B', mfa: 'required' })
  await app.store.members.add({ orgId: 'org-b', userId: id, role: 'viewer' })
  t.match(await app.challenge(ANN, { org_id: 'org-b' }), { enrolment_required: true })
  const { access_token: token } = await app.login(ANN)
  t.equal((await app.post('switch', { org_id: 'org-b' }, token)).statusCode, 403)
  await app.enrol(token)
  const switched = await app.post('switch', { org_id: 'org-b' }, token)
  t.equal(switched.statusCode, 200, 'the session has proved a factor')
  t.equal((await app.get('me', switched.json().access_token)).json().org_id, 'org-b')
})

t.test('a session that is older than the policy needs a factor for routes with step-up', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN, 'owner')
  const { access_token: token } = await app.login(ANN)
  const { id } = (await app.post('/v1/admin/sources', { name: 'Shop' }, token)).json()
  await require(app)
  const refused = await app.send('DELETE', `sources/${id}`, token)
  t.equal(refused.statusCode, 403)
  t.match(refused.json().error, { code: 'FORBIDDEN', message: /requires a second factor/ })
  t.equal((await app.send('GET', `sources/${id}`, token)).statusCode, 200)
  await app.enrol(token)
  t.equal((await app.send('DELETE', `sources/${id}`, token)).statusCode, 204)
})

t.test('in the cookie mode a login with a code sets the refresh cookie, and foreign pages are refused', async (t) => {
  const app = await mfaApp(t, { auth: { cookie: true } })
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const { mfa_token: token } = await app.challenge(ANN)
  app.clock.now += 30_000
  const send = (headers: Record<string, string>) =>
    app.app.inject({
      method: 'POST',
      url: '/v1/admin/auth/mfa/verify',
      headers,
      payload: { mfa_token: token, code: totpCode(secret, app.clock.now) }
    })
  const foreign = await send({ origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' })
  t.equal(foreign.statusCode, 403)
  t.equal(foreign.json().error.code, 'CSRF_FAILED')
  const reply = await send({})
  t.equal(reply.statusCode, 200)
  t.notOk('refresh_token' in reply.json())
  t.ok(reply.cookies.some(({ name, httpOnly }) => name === '__Secure-gatehouse-refresh' && httpOnly === true))
})
