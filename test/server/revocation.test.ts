import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { demoApp } from '../helpers/server-app.js'
import { until } from '../helpers/until.js'

t.test('a session from before a cut-off cannot embed, a new session can, and both are audited', async (t) => {
  const { app, first } = await demoApp(t)
  const { access_token: token } = (await app.inject({
    method: 'POST',
    url: '/v1/admin/auth/login',
    payload: { email: first.email, password: first.generatedPassword }
  })).json()
  const headers = { authorization: `Bearer ${token}` }
  const logIn = async () => {
    const [cookie] =
      (await app.inject({ method: 'POST', url: '/demo/session', payload: { user: 'ann@example.com' } })).cookies
    return { cookie: `${cookie?.name}=${cookie?.value}` }
  }
  const embed = async (session: object) =>
    (await app.inject({ url: '/api/generate-token', headers: { ...session } })).statusCode

  const before = await logIn()
  t.equal(await embed(before), 200)
  // Sessions and cut-offs count in milliseconds.
  await sleep(5)
  t.equal(
    (await app.inject({
      method: 'POST',
      url: '/v1/admin/embeds/revoke',
      headers,
      payload: { user_id: 'ann@example.com' }
    })).statusCode,
    200
  )
  t.equal(await embed(before), 403)
  t.equal(await embed(await logIn()), 200)

  const trail = async () =>
    (await app.inject({ url: '/v1/admin/embeds?user_id=ann%40example.com', headers })).json().data
  // The audit trail is written after the responses.
  await until('three requests are in the trail', async () => (await trail()).length >= 3)
  t.same((await trail()).map(({ product, outcome, error }: Record<string, unknown>) => [product, outcome, error]), [
    ['dxfeed', 'granted', null],
    ['dxfeed', 'refused', 'FORBIDDEN'],
    ['dxfeed', 'granted', null]
  ])
})
