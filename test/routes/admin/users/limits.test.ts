import t from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { usersApp } from '../../../helpers/admin-users.js'

t.test('the mails of one user are limited, and other routes still respond', async (t) => {
  const admin = await usersApp(t, { users: { mailRateLimit: { max: 2, timeWindow: 60_000 } } })
  const owner = await caller(admin)
  const other = await caller(admin, 'admin')
  const { id } = (await owner.send('POST', '/users/invite', { email: 'a@example.com', role: 'viewer' })).json()
  t.equal((await owner.send('POST', `/users/invitations/${id}/resend`)).statusCode, 200)
  const replies = [
    await owner.send('POST', '/users/invite', { email: 'b@example.com', role: 'viewer' }),
    await owner.send('POST', `/users/invitations/${id}/resend`),
    await owner.send('POST', '/auth/email', { new_email: 'b@example.com', current_password: PASSWORD })
  ]
  for (const reply of replies) {
    t.equal(reply.statusCode, 429)
    t.equal(reply.json().error.code, 'RATE_LIMITED')
    t.ok(reply.headers['retry-after'])
  }
  t.equal(admin.outbox.length, 2)
  t.equal((await owner.get('/users/invitations')).statusCode, 200)
  t.equal((await other.send('POST', '/users/invite', { email: 'b@example.com', role: 'viewer' })).statusCode, 201)
})

t.test('the requests with tokens of one address are limited over all routes together', async (t) => {
  const admin = await usersApp(t, { users: { rateLimit: { max: 4, timeWindow: 60_000 } } })
  const send = async (path: string, body: object, remoteAddress = '192.0.2.1') =>
    (await admin.app.inject({ method: 'POST', url: `/v1/admin${path}`, payload: body, remoteAddress })).statusCode
  const token = 'guess'
  t.same([
    await send('/invitations/inspect', { token }),
    await send('/invitations/accept', { token, password: PASSWORD }),
    await send('/auth/password-reset/confirm', { token, new_password: PASSWORD }),
    await send('/auth/email/confirm', { token })
  ], [401, 401, 401, 401])
  t.same([
    await send('/invitations/inspect', { token }),
    await send('/auth/email/confirm', { token }),
    await send('/auth/email/confirm', { token }, '192.0.2.2')
  ], [429, 429, 401])
})

t.test('a body that is not JSON, or too large, is refused before anything else', async (t) => {
  const admin = await usersApp(t)
  for (const path of ['/invitations/inspect', '/invitations/accept', '/auth/password-reset', '/auth/email/confirm']) {
    const url = `/v1/admin${path}`
    const send = async (payload: string, type = 'application/json') =>
      (await admin.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })).statusCode
    t.equal(await send('{'), 400, path)
    t.equal(await send('[]'), 400, path)
    t.equal(await send('token=x', 'application/x-www-form-urlencoded'), 415, path)
    t.equal(await send(JSON.stringify({ token: 'x'.repeat(20_000) })), 413, path)
  }
})
