import t from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { ssoApp } from '../../../helpers/sso.js'

const MESSAGE = "Log in through your organisation's identity provider"
const REQUIRED = { domains: [{ domain: 'example.com', orgId: 'default', sso: 'required' as const }] }

t.test('with required single sign-on, passwords of the domain work for owners alone', async (t) => {
  const admin = await ssoApp(t, { sso: REQUIRED })
  await admin.addUser('owner@example.com', 'owner')
  for (const role of ['admin', 'editor', 'viewer'] as const) {
    await admin.addUser(`${role}@example.com`, role)
    const reply = await admin.post('login', { email: `${role}@example.com`, password: PASSWORD })
    t.equal(reply.statusCode, 403, role)
    t.match(reply.json().error, { code: 'FORBIDDEN', message: MESSAGE })
  }
  t.ok(await admin.login('owner@example.com'))
  const [entry] = await admin.audited('auth.login')
  t.match(entry, { userEmail: 'owner@example.com', changes: { break_glass: true } })
})

t.test('the response to a password of the domain does not tell whether it was right or the user exists', async (t) => {
  const admin = await ssoApp(t, { sso: REQUIRED })
  await admin.addUser('viewer@example.com', 'viewer')
  const bodies = await Promise.all([
    { email: 'viewer@example.com', password: PASSWORD },
    { email: 'viewer@example.com', password: 'a wrong password' },
    { email: 'unknown@example.com', password: PASSWORD }
  ].map(async (body) => {
    const reply = await admin.post('login', body)
    return [reply.statusCode, reply.body]
  }))
  t.strictSame(bodies[1], bodies[0])
  t.strictSame(bodies[2], bodies[0])
  const wrong = await admin.post('login', { email: 'unknown@example.net', password: PASSWORD })
  t.equal(wrong.json().error.code, 'INVALID_CREDENTIALS', 'another domain has its own response')
})

t.test('required single sign-on applies to its organisation and domain alone', async (t) => {
  const admin = await ssoApp(t, { sso: REQUIRED })
  const ann = await admin.addUser('ann@example.com', 'admin', 'org-b')
  await admin.addUser('bob@example.net', 'viewer')
  await admin.addUser('cleo@sub.example.com', 'viewer')
  for (const email of ['ann@example.com', 'bob@example.net', 'cleo@sub.example.com']) t.ok(await admin.login(email))

  await admin.store.members.add({ orgId: 'default', userId: ann.id, role: 'admin' })
  const { access_token: token } = await admin.login('ann@example.com')
  const switched = await admin.post('switch', { org_id: 'default' }, token)
  t.equal(switched.statusCode, 403, 'a password session does not switch into the organisation')
  t.match(switched.json().error, { code: 'FORBIDDEN', message: MESSAGE })
  t.equal((await admin.get('me', token)).statusCode, 200, 'and the session goes on')
})

t.test('a domain that an organisation has proved and requires is found without configuration', async (t) => {
  const admin = await ssoApp(t)
  await admin.addUser('ann@example.com', 'admin')
  const { id } = await admin.store.ssoDomains.add({ orgId: 'default', domain: 'example.com', token: 't' })
  await admin.store.ssoDomains.update('default', id, { sso: 'required' })
  t.ok(await admin.login('ann@example.com'), 'not before it is proved')
  await admin.store.ssoDomains.verify('default', id)
  t.equal((await admin.post('login', { email: 'ann@example.com', password: PASSWORD })).statusCode, 403)
})

t.test('the providers of an email depend on its domain alone', async (t) => {
  const admin = await ssoApp(t, { sso: REQUIRED })
  await admin.addUser('ann@example.com', 'admin')
  const discover = async (query: string) => (await admin.get(`/v1/admin/auth/sso${query}`)).json()
  const known = await discover('?email=ann%40example.com')
  t.strictSame(known, { required: true, providers: [] })
  t.strictSame(await discover('?email=nobody%40EXAMPLE.com'), known)
  t.strictSame(await discover('?email=ann%40example.net'), { required: false, providers: [] })
  t.strictSame(await discover('?email=nonsense'), { required: false, providers: [] })
  t.strictSame(await discover(''), { required: false, providers: [] })
})

t.test('wrong options are refused at registration with the name of the option', async (t) => {
  const wrong = [
    [{ publicUrl: 'gate.example.com' }, '"publicUrl"'],
    [{ publicUrl: 'ftp://gate.example.com' }, '"publicUrl"'],
    [{ loginPage: 'login' }, '"loginPage"'],
    [{ loginPage: 'javascript:alert(1)' }, '"loginPage"'],
    [{ loginPage: '/login#x' }, '"loginPage"'],
    [{ domains: [{ domain: 'localhost', orgId: 'default' }] }, '"domains\\[0\\]"'],
    [{ domains: [{ domain: 'example.com' }] }, '"domains\\[0\\]"'],
    [{ domains: [{ domain: 'example.com', orgId: 'a', policy: 'x' }] }, 'domains\\[0\\].policy'],
    [{ providerQuota: 0 }, '"providerQuota"']
  ] as const
  for (const [options, name] of wrong) {
    await t.rejects(
      ssoApp(t, { sso: options as object }),
      { code: 'INVALID_OPTIONS', message: new RegExp(`^admin-sso: .*${name}`) },
      JSON.stringify(options)
    )
  }
})
