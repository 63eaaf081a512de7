import Fastify from 'fastify'
import t from 'tap'

import { memoryStore } from '../../../../plugins/token-store/index.js'
import adminUsers from '../../../../routes/admin/users/index.js'
import { SECRET } from '../../../helpers/admin.js'
import { caller } from '../../../helpers/admin-caller.js'
import { LINK_URL, usersApp } from '../../../helpers/admin-users.js'

const NEW_SECRET = 'w3Tz-8nQb5_kLx1VfR6yHj9Ms4Pd0Gc7'
const PASSWORD = 'violet anchors drift slowly'
const ROUTES: ReadonlyArray<[url: string, extra: object]> = [
  ['/v1/admin/invitations/inspect', {}],
  ['/v1/admin/invitations/accept', { password: PASSWORD }],
  ['/v1/admin/auth/email/confirm', {}],
  ['/v1/admin/auth/password-reset/confirm', { new_password: PASSWORD }]
]

t.test('a token is valid for its own purpose only, and unaltered', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })
  await admin.post('/v1/admin/auth/password-reset', { email: 'owner@default.example.com' })
  await owner.send('POST', '/auth/email', { new_email: 'b@example.com', current_password: 'a quite unguessable one' })
  const own = {
    invitations: await admin.tokenOf('invitation'),
    'password-reset': await admin.tokenOf('password_reset'),
    email: await admin.tokenOf('email_change', 2)
  }
  const foreign = (await owner.get('/users?limit=1')).json().next_cursor ?? owner.token
  for (const [url, extra] of ROUTES) {
    const valid = Object.entries(own).find(([name]) => url.includes(`/${name}/`))?.[1] ?? ''
    const others = Object.values(own).filter((token) => token !== valid)
    const flipped = Array.from(valid, (character, at) =>
      `${valid.slice(0, at)}${character === 'A' ? 'B' : 'A'}${valid.slice(at + 1)}`)
    const bad = [...others, ...flipped, foreign, owner.token, `${valid}=`, `${valid}.`, valid.slice(0, -1), '.', '\u0000']
    for (const [at, token] of bad.entries()) {
      const reply = await admin.post(url, { token, ...extra })
      t.equal(reply.statusCode, 401, `${url} ${at}`)
      t.equal(reply.json().error.code, 'INVALID_TOKEN')
    }
    for (const token of ['', 5, null, 'a'.repeat(513)]) {
      t.equal((await admin.post(url, { token, ...extra })).statusCode, 400, `${url} ${JSON.stringify(token)?.slice(0, 9)}`)
    }
    t.ok((await admin.post(url, { token: valid, ...extra })).statusCode < 300, `${url} accepts its own token`)
  }
})

t.test('a link stays valid while its secret is rotated, and ends with its secret', async (t) => {
  const store = memoryStore()
  const shared = { ...store, close: async () => {} }
  const appWith = (jwtSecrets: string[]) => usersApp(t, {
    store: shared,
    auth: { jwtSecrets },
    api: { jwtSecrets },
    users: { jwtSecrets }
  })
  const before = await appWith([SECRET])
  const during = await appWith([NEW_SECRET, SECRET])
  const after = await appWith([NEW_SECRET])
  const owner = await caller(before)
  await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })
  const token = await before.tokenOf('invitation')
  const inspect = async ({ post }: typeof before, link: string) =>
    (await post('/v1/admin/invitations/inspect', { token: link })).statusCode
  t.same([await inspect(before, token), await inspect(during, token), await inspect(after, token)], [200, 200, 401])
  const { access_token: access } = await during.login('owner@default.example.com')
  await during.post('/v1/admin/users/invite', { email: 'other@example.com', role: 'viewer' }, access)
  const next = await during.tokenOf('invitation')
  t.same([await inspect(before, next), await inspect(during, next), await inspect(after, next)], [401, 200, 200])
})

t.test('the store keeps no token, only its digest', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const given: unknown[] = []
  for (const part of [admin.store.invitations, admin.store.accountLinks] as unknown as Array<Record<string, unknown>>) {
    for (const name of ['create', 'renew', 'find', 'accept', 'startReset', 'findReset', 'finishReset', 'confirmEmail']) {
      const method = part[name]
      if (typeof method !== 'function') continue
      part[name] = (...parameters: unknown[]) => {
        given.push(parameters)
        return Reflect.apply(method, part, parameters) as unknown
      }
    }
  }
  await owner.send('POST', '/users/invite', { email: 'new@example.com', role: 'viewer' })
  const token = await admin.tokenOf('invitation')
  await admin.post('/v1/admin/invitations/accept', { token, password: PASSWORD })
  await admin.post('/v1/admin/auth/password-reset', { email: 'new@example.com' })
  const reset = await admin.tokenOf('password_reset')
  await admin.post('/v1/admin/auth/password-reset/confirm', { token: reset, new_password: `${PASSWORD} again` })
  const text = JSON.stringify(given)
  t.ok(given.length >= 6)
  t.notOk(text.includes(token) || text.includes(reset) || text.includes(PASSWORD))
})

t.test('a wrong option stops the start with its name', async (t) => {
  const sendMail = async () => {}
  const wrong: ReadonlyArray<[options: object, message: RegExp]> = [
    [{ sendMail }, /admin-users: "linkUrl" must be the http or https URL/],
    ...['', '/account', 'ftp://app.example.com', 'javascript:alert(1)', `${LINK_URL}#/here`, 'https://a:b@example.com', 5]
      .map((linkUrl): [object, RegExp] => [{ sendMail, linkUrl }, /"linkUrl" must be/]),
    [{ linkUrl: LINK_URL }, /admin-users: "sendMail" must be a function that sends a mail/],
    [{ linkUrl: LINK_URL, sendMail: 'smtp://localhost' }, /"sendMail" must be a function/],
    [{ linkUrl: LINK_URL, sendMail, sendmail: 1 }, /adminUsers: unknown option "sendmail"; did you mean "sendMail"/],
    [{ linkUrl: LINK_URL, sendMail }, /admin-users: adminAuth is not registered before; register adminAuth/]
  ]
  for (const [options, message] of wrong) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => app.register(adminUsers, { jwtSecrets: [SECRET], ...options } as never), {
      code: 'INVALID_OPTIONS',
      message
    })
  }
})
