import t from 'tap'

import { PASSWORD, adminApp } from '../../../helpers/admin.js'
import { logReader } from '../../../helpers/log-reader.js'

const CREDENTIALS = { email: 'ann@example.com', password: PASSWORD }

t.test('without adminMfa a password does not log in a user who has a second factor', async (t) => {
  const { stream, text } = logReader()
  const { addUser, login, post, store } = await adminApp(t, { server: { logger: { stream } } })
  const { id } = await addUser('ann@example.com')
  await login('ann@example.com')
  await store.factors.proposeTotp(id, 'SECRET')
  await login('ann@example.com')
  await store.factors.confirmTotp(id, { secret: 'SECRET', step: 1, recoveryDigests: [] })
  const reply = await post('login', CREDENTIALS)
  t.equal(reply.statusCode, 403)
  t.equal(reply.json().error.code, 'FORBIDDEN')
  t.notOk(reply.headers['set-cookie'], 'the browser becomes no known device')
  t.match(text(), /adminMfa is not registered/)
  t.equal((await post('login', { ...CREDENTIALS, password: 'wrong' })).json().error.code, 'INVALID_CREDENTIALS')
  await store.factors.removeTotp(id)
  await login('ann@example.com')
})

t.test('without adminMfa a login to an organisation that requires a second factor is refused', async (t) => {
  const { addUser, login, post, store } = await adminApp(t)
  const { id } = await addUser('ann@example.com')
  await store.organisations.create({ id: 'org-b', name: 'B', mfa: 'required' })
  await store.members.add({ orgId: 'org-b', userId: id, role: 'viewer' })
  t.equal((await post('login', { ...CREDENTIALS, org_id: 'org-b' })).statusCode, 403)
  await login('ann@example.com')
  t.equal((await store.sessions.list(id)).length, 1)
})
