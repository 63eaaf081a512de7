import t from 'tap'

import { ROLES } from '../../../../contracts/token-store/index.js'
import { atLeast } from '../../../../plugins/admin-guard/index.js'
import { DAY, PASSWORD } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { LINK_URL, tokenIn, usersApp } from '../../../helpers/admin-users.js'

const ACCEPT = '/v1/admin/invitations/accept'
const INSPECT = '/v1/admin/invitations/inspect'
const NEW_PASSWORD = 'violet anchors drift slowly'

t.test('an invited person reads the invitation, sets a password, and logs in with the given role', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  await admin.store.organisations.update('default', { name: 'Acme\r\nBcc: eve@example.com' })
  const invited = await owner.send('POST', '/users/invite', { email: 'New@Example.com', role: 'editor' })
  t.equal(invited.statusCode, 201)
  t.equal(invited.headers['cache-control'], 'no-store')
  const invitation = invited.json()
  t.match(invitation, { email: 'new@example.com', role: 'editor', invited_by: owner.userId })
  t.equal(Date.parse(invitation.expires_at) - Date.parse(invitation.created_at), 7 * DAY)
  const [mail] = await admin.mails('invitation')
  t.match(mail, { to: 'new@example.com', subject: 'Invitation to Acme Bcc: eve@example.com' })
  t.ok(mail?.link?.startsWith(`${LINK_URL}#/accept?token=`))
  t.match(mail?.text, mail?.link ?? 'no link')
  const token = tokenIn(mail)
  t.notOk(JSON.stringify(await admin.store.invitations.list('default', { limit: 10 })).includes(token))

  const inspected = await admin.post(INSPECT, { token })
  t.equal(inspected.statusCode, 200)
  t.match(inspected.json(), { email: 'new@example.com', role: 'editor', has_account: false })
  for (const password of ['short', 'password1234', 'new@example.com']) {
    const refused = await admin.post(ACCEPT, { token, password })
    t.equal(refused.statusCode, 400, password)
    t.match(refused.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/password' }] })
  }
  const accepted = await admin.post(ACCEPT, { token, password: NEW_PASSWORD })
  t.equal(accepted.statusCode, 201)
  const member = accepted.json()
  t.match(member, { email: 'new@example.com', role: 'editor', disabled: false, last_login_at: null })
  t.notOk(accepted.body.includes('_token'), 'the response has no tokens')
  await admin.login('new@example.com', NEW_PASSWORD)
  t.equal((await owner.get(`/users/${member.id}`)).json().role, 'editor')
  t.same((await owner.get('/users/invitations')).json().data, [])
  const [entry] = (await admin.audited('user.joined')).filter(({ action }) => action === 'user.joined')
  t.match(entry, { userId: member.id, userEmail: 'new@example.com', changes: { role: 'editor' } })
})

t.test('an existing account accepts with its current password, and failures lock it as at a login', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const { id, passwordHash } = await admin.addUser('bob@example.com', 'owner', 'org-b')
  await owner.send('POST', '/users/invite', { email: 'bob@example.com', role: 'viewer' })
  const token = await admin.tokenOf('invitation')
  t.equal((await admin.post(INSPECT, { token })).json().has_account, true)
  const wrong = await admin.post(ACCEPT, { token, password: NEW_PASSWORD })
  t.equal(wrong.statusCode, 401)
  t.equal(wrong.json().error.code, 'INVALID_CREDENTIALS')
  const accepted = await admin.post(ACCEPT, { token, password: PASSWORD })
  t.equal(accepted.statusCode, 201)
  t.equal(accepted.json().id, id)
  t.equal((await admin.store.users.get(id, 'org-b'))?.passwordHash, passwordHash)
  t.same((await admin.store.members.ofUser(id)).map(({ orgId, role }) => [orgId, role]), [
    ['org-b', 'owner'],
    ['default', 'viewer']
  ])

  await admin.addUser('carl@example.com', 'viewer', 'org-b')
  await owner.send('POST', '/users/invite', { email: 'carl@example.com', role: 'viewer' })
  const next = await admin.tokenOf('invitation', 2)
  for (let at = 0; at < 5; at++) await admin.post(ACCEPT, { token: next, password: NEW_PASSWORD })
  const locked = await admin.post(ACCEPT, { token: next, password: PASSWORD })
  t.equal(locked.statusCode, 401)
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED')
})

t.test('only one of ten concurrent acceptances of one link succeeds', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })
  const token = await admin.tokenOf('invitation')
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => admin.post(ACCEPT, { token, password: NEW_PASSWORD }))
  )
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [201, ...Array<number>(9).fill(401)])
  t.equal((await owner.get('/users')).json().data.length, 2)
})

t.test('a link ends with its use, a resend, a new invitation, a withdrawal and its time', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const ends: ReadonlyArray<[how: string, code: string, end: (id: string, email: string) => Promise<unknown>]> = [
    ['use', 'INVALID_TOKEN', async () => {
      await admin.post(ACCEPT, { token: tokenIn(admin.outbox.at(-1)), password: NEW_PASSWORD })
    }],
    ['resend', 'INVALID_TOKEN', (id) => owner.send('POST', `/users/invitations/${id}/resend`)],
    ['new invitation', 'INVALID_TOKEN', (_id, email) => owner.send('POST', '/users/invite', { email, role: 'admin' })],
    ['withdrawal', 'INVALID_TOKEN', (id) => owner.send('DELETE', `/users/invitations/${id}`)],
    ['time', 'EXPIRED_TOKEN', async () => { admin.clock.now += 7 * DAY }]
  ]
  for (const [at, [how, code, end]] of ends.entries()) {
    const email = `user-${at}@example.com`
    const { id } = (await owner.send('POST', '/users/invite', { email, role: 'viewer' })).json()
    const token = tokenIn(admin.outbox.at(-1))
    t.equal((await admin.post(INSPECT, { token })).statusCode, 200, how)
    await end(id, email)
    for (const [url, body] of [[INSPECT, { token }], [ACCEPT, { token, password: NEW_PASSWORD }]] as const) {
      const reply = await admin.post(url, body)
      t.equal(reply.statusCode, 401, how)
      t.equal(reply.json().error.code, code, how)
    }
  }
})

t.test('a resent link works, for another 7 days', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const { id } = (await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })).json()
  admin.clock.now += 6 * DAY
  const { access_token: token } = await admin.login('owner@default.example.com')
  const resent = await admin.post(`/v1/admin/users/invitations/${id}/resend`, undefined, token)
  t.equal(resent.statusCode, 200)
  t.equal(Date.parse(resent.json().expires_at), admin.clock.now + 7 * DAY)
  admin.clock.now += 6 * DAY
  const link = await admin.tokenOf('invitation', 2)
  t.equal((await admin.post(ACCEPT, { token: link, password: NEW_PASSWORD })).statusCode, 201)
})

t.test('a member is not invited, and members and invitations do not exceed the limit', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const member = await owner.send('POST', '/users/invite', { email: 'OWNER@default.example.com', role: 'viewer' })
  t.equal(member.statusCode, 409)
  t.match(member.json().error, { code: 'CONFLICT', message: 'This user is a member already' })
  await admin.store.organisations.update('default', { maxUsers: 2 })
  t.equal((await owner.send('POST', '/users/invite', { email: 'a@example.com', role: 'viewer' })).statusCode, 201)
  const over = await owner.send('POST', '/users/invite', { email: 'b@example.com', role: 'viewer' })
  t.equal(over.statusCode, 409)
  t.equal(over.json().error.message, 'The organisation may have no more users (at most 2)')
  t.equal(admin.outbox.length, 1)
})

t.test('an invitation to a role above the role of the sender is refused', async (t) => {
  const admin = await usersApp(t)
  for (const inviter of ROLES) {
    const sender = await caller(admin, inviter)
    for (const role of ROLES) {
      const reply = await sender.send('POST', '/users/invite', { email: `${inviter}-${role}@example.com`, role })
      const may = ['owner', 'admin'].includes(inviter) && atLeast(role).includes(inviter)
      t.equal(reply.statusCode, may ? 201 : 403, `${inviter} invites ${role}`)
      if (!may) t.equal(reply.json().error.code, 'FORBIDDEN')
    }
  }
  t.equal(admin.outbox.length, 7)
})

t.test('an administrator neither withdraws, resends nor replaces the invitation of an owner', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const other = await caller(admin, 'admin')
  const { id } = (await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'owner' })).json()
  t.equal((await other.send('POST', `/users/invitations/${id}/resend`)).statusCode, 403)
  t.equal((await other.send('DELETE', `/users/invitations/${id}`)).statusCode, 403)
  t.equal((await other.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })).statusCode, 403)
  t.equal((await admin.post(INSPECT, { token: await admin.tokenOf('invitation') })).statusCode, 200)
  t.equal((await owner.send('DELETE', `/users/invitations/${id}`)).statusCode, 204)
})

t.test('the link of a sender who is no longer an administrator is not valid', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const sender = await caller(admin, 'admin')
  await sender.send('POST', '/users/invite', { email: 'new@example.com', role: 'editor' })
  const token = await admin.tokenOf('invitation')
  t.equal((await admin.post(INSPECT, { token })).statusCode, 200)
  await owner.send('PATCH', `/users/${sender.userId}`, { disabled: true })
  const reply = await admin.post(ACCEPT, { token, password: NEW_PASSWORD })
  t.equal(reply.statusCode, 401)
  t.equal(reply.json().error.code, 'INVALID_TOKEN')
})

t.test('an invitation of another organisation is 404', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const foreign = await caller(admin, 'owner', 'org-b')
  const { id } = (await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })).json()
  for (const unknown of [id, 'nothing', '%00', 'a'.repeat(65)]) {
    t.equal((await foreign.send('POST', `/users/invitations/${unknown}/resend`)).statusCode, 404, unknown)
    t.equal((await foreign.send('DELETE', `/users/invitations/${unknown}`)).statusCode, 404, unknown)
  }
  t.same((await foreign.get('/users/invitations')).json().data, [])
  t.equal((await owner.get('/users/invitations')).json().data.length, 1)
})

t.test('an email that could add a header or a recipient to a mail is refused', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const bad = ['a@example.com\r\nBcc: eve@example.com', 'a@example.com\n', '\ra@example.com', 'a@example.com,eve@example.com',
    'a@example.com eve@example.com', '<a@example.com>', 'a@b@example.com', '"a"@example.com', 'a;b@example.com', 'a', '@a',
    'a@', 'a\u0000@example.com', 'a\u2028@example.com', 'ａ@example.com', 'a@exämple.com', 'a@-example.com', 'a@example..com',
    `${'a'.repeat(65)}@example.com`, `a@${'b.'.repeat(130)}com`, '', 5, null, ['a@example.com'], { email: 'a@example.com' }]
  for (const [at, email] of bad.entries()) {
    const invite = await owner.send('POST', '/users/invite', { email, role: 'viewer' })
    t.equal(invite.statusCode, 400, `invitation ${at}`)
    const change = await owner.send('POST', '/auth/email', { new_email: email, current_password: PASSWORD })
    t.equal(change.statusCode, 400, `change ${at}`)
  }
  t.same(admin.outbox, [])
  for (const email of ['a@example.com', "a.b+c'd@x.example.com", 'a@localhost', 'a@xn--exmple-cua.com']) {
    t.equal((await owner.send('POST', '/users/invite', { email, role: 'viewer' })).statusCode, 201, email)
  }
})

t.test('an invitation whose mail fails is stored and resent, and no log line has its token', async (t) => {
  const lines: string[] = []
  const sent: string[] = []
  let isDown = true
  const admin = await usersApp(t, {
    server: { logger: { level: 'info', stream: { write: (line: string) => { lines.push(line) } } } },
    users: {
      sendMail: async ({ text }) => {
        sent.push(tokenIn({ kind: 'invitation', text } as never))
        if (isDown) throw new Error(`the server refuses: ${text}`)
      }
    }
  })
  const owner = await caller(admin)
  const failed = await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })
  t.equal(failed.statusCode, 503)
  t.equal(failed.json().error.code, 'UNAVAILABLE')
  t.ok(failed.headers['retry-after'])
  const [invitation] = (await owner.get('/users/invitations')).json().data
  t.equal(invitation.email, 'new@example.com')
  isDown = false
  t.equal((await owner.send('POST', `/users/invitations/${invitation.id}/resend`)).statusCode, 200)
  const log = lines.join('')
  t.match(log, 'mail not sent')
  t.match(log, /the server refuses/)
  t.equal(sent.length, 2)
  const audit = JSON.stringify(await admin.audited('user.invitation_resent'))
  for (const token of sent) t.notOk(log.includes(token) || audit.includes(token))
})
