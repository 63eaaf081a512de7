import t from 'tap'

import { decode } from '../../../helpers/admin.js'
import { samlApp } from '../../../helpers/saml-app.js'

t.test('a signed response logs the person in', async (t) => {
  const app = await samlApp(t)
  const finished = await app.finish()
  t.equal(finished.statusCode, 303)
  const reply = await app.exchange(finished)
  t.equal(reply.statusCode, 200)
  const { access_token: token } = reply.json<{ access_token: string }>()
  t.match(decode(token).claims, { role: 'viewer' })
})
