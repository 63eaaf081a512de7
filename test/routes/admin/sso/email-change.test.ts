import t from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { usersApp } from '../../../helpers/admin-users.js'

const ANN = 'ann@example.com'
const NEW = 'ann@example.net'

t.test('an email of a domain with required single sign-on cannot change, except that of an owner', async (t) => {
  const admin = await usersApp(t)
  await admin.addUser(ANN)
  await admin.addUser('owner@example.com', 'owner')
  await admin.addUser('cleo@example.com', 'editor', 'org-b')
  const { ssoDomains } = admin.store
  const tokens = await Promise.all([ANN, 'owner@example.com', 'cleo@example.com'].map(async (email) =>
    (await admin.login(email)).access_token
  ))
  const { id } = await ssoDomains.add({ orgId: 'default', domain: 'example.com', token: 't' })
  await ssoDomains.verify('default', id)
  const change = (token: string | undefined, email: string) =>
    admin.post('email', { new_email: email, current_password: PASSWORD }, token)
  t.equal((await change(tokens[0], NEW)).statusCode, 202, 'while single sign-on is optional')

  await ssoDomains.update('default', id, { sso: 'required' })
  const refused = await change(tokens[0], NEW)
  t.equal(refused.statusCode, 403)
  t.match(refused.json().error, { code: 'FORBIDDEN', message: /^Your organisation manages this email/ })
  t.equal((await change(tokens[1], 'owner@example.net')).statusCode, 202, 'an owner')
  t.equal((await change(tokens[2], 'cleo@example.net')).statusCode, 202, 'a user of another organisation')
})
