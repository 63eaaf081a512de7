import t from 'tap'

import { PASSWORD } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { tokenIn, usersApp } from '../../../helpers/admin-users.js'
import type { UsersApp } from '../../../helpers/admin-users.js'

const CONFIRM = '/v1/admin/auth/email/confirm'
const OLD = 'owner@default.example.com'
const NEW = 'new@example.com'

/** Requests the change; returns the tokens by address. */
async function tokens (admin: UsersApp, count = 2): Promise<Record<string, string>> {
  const mails = (await admin.mails('email_change', count)).slice(-2)
  return Object.fromEntries(mails.map((mail) => [mail.to, tokenIn(mail)]))
}

t.test('an email changes when both addresses are confirmed, and the former address is notified', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const requested = await owner.send('POST', '/auth/email', { new_email: 'New@Example.com', current_password: PASSWORD })
  t.equal(requested.statusCode, 202)
  t.equal(requested.body, '')
  const { [OLD]: old = '', [NEW]: next = '' } = await tokens(admin)
  const waiting = await admin.post(CONFIRM, { token: next })
  t.equal(waiting.statusCode, 200)
  t.same(waiting.json(), { status: 'waiting' })
  t.same((await admin.post(CONFIRM, { token: next })).json(), { status: 'waiting' }, 'one link alone is not enough')
  t.equal((await owner.get('/auth/me')).json().email, OLD)
  t.same((await admin.post(CONFIRM, { token: old })).json(), { status: 'changed' })
  t.equal((await owner.get('/auth/me')).json().email, NEW)
  t.match(await admin.mails('email_changed'), [{ to: OLD, link: null, text: /new@example\.com/ }])
  t.ok(await admin.login(NEW))
  t.equal((await admin.post('login', { email: OLD, password: PASSWORD })).statusCode, 401)
  for (const token of [old, next]) {
    const reply = await admin.post(CONFIRM, { token })
    t.equal(reply.statusCode, 401)
    t.equal(reply.json().error.code, 'INVALID_TOKEN')
  }
  const [entry] = (await admin.audited('auth.email_changed')).filter(({ action }) => action === 'auth.email_changed')
  t.match(entry, { userId: owner.userId, changes: { email: { from: OLD, to: NEW } } })
})

t.test('a change needs the current password and another email', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const same = await owner.send('POST', '/auth/email', { new_email: OLD.toUpperCase(), current_password: PASSWORD })
  t.equal(same.statusCode, 400)
  const wrong = await owner.send('POST', '/auth/email', { new_email: NEW, current_password: 'wrong' })
  t.equal(wrong.statusCode, 401)
  t.equal(wrong.json().error.code, 'INVALID_CREDENTIALS')
  for (let at = 0; at < 4; at++) await owner.send('POST', '/auth/email', { new_email: NEW, current_password: 'wrong' })
  const locked = await owner.send('POST', '/auth/email', { new_email: NEW, current_password: PASSWORD })
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED')
  t.ok(await admin.login(OLD), 'the failures of a session do not lock the account')
  t.same(admin.outbox, [])
  t.equal((await admin.post('/v1/admin/auth/email', { new_email: NEW, current_password: PASSWORD })).statusCode, 401)
})

t.test('a request does not reveal that an email is taken, and the confirmation refuses a taken email', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  await admin.addUser(NEW, 'viewer', 'org-b')
  const bodies = []
  for (const new_email of [NEW, 'free@example.com', NEW]) {
    const reply = await owner.send('POST', '/auth/email', { new_email, current_password: PASSWORD })
    bodies.push(`${reply.statusCode} ${reply.body}`)
  }
  t.equal(new Set(bodies).size, 1)
  const { [OLD]: old = '', [NEW]: next = '' } = await tokens(admin, 6)
  await admin.post(CONFIRM, { token: old })
  const taken = await admin.post(CONFIRM, { token: next })
  t.equal(taken.statusCode, 409)
  t.match(taken.json().error, { code: 'CONFLICT', message: 'This email is taken' })
  t.equal((await owner.get('/auth/me')).json().email, OLD)
})

t.test('the links end after 24 hours, with a new request and with a new password', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const request = () => owner.send('POST', '/auth/email', { new_email: NEW, current_password: PASSWORD })
  const refusal = async (token: string) => (await admin.post(CONFIRM, { token })).json().error?.code
  await request()
  const replaced = await tokens(admin)
  await request()
  const ended = await tokens(admin, 4)
  t.equal(await refusal(replaced[NEW] ?? ''), 'INVALID_TOKEN')
  const password = { current_password: PASSWORD, new_password: 'violet anchors drift slowly' }
  t.equal((await owner.send('POST', '/auth/password', password)).statusCode, 204)
  t.equal(await refusal(ended[NEW] ?? ''), 'INVALID_TOKEN')
  await owner.send('POST', '/auth/email', { new_email: NEW, current_password: password.new_password })
  const expired = await tokens(admin, 6)
  t.same((await admin.post(CONFIRM, { token: expired[NEW] })).json(), { status: 'waiting' })
  admin.clock.now += 86_400_000
  t.equal(await refusal(expired[OLD] ?? ''), 'EXPIRED_TOKEN')
})
