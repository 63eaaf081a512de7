import t from 'tap'

import type { TokenStore } from '../../../../contracts/token-store/index.js'
import { memoryStore } from '../../../../plugins/token-store/index.js'
import { PASSWORD } from '../../../helpers/admin.js'
import { LINK_URL, usersApp } from '../../../helpers/admin-users.js'

const REQUEST = '/v1/admin/auth/password-reset'
const CONFIRM = `${REQUEST}/confirm`
const NEW_PASSWORD = 'violet anchors drift slowly'
const EMAIL = 'ann@example.com'

t.test('a reset sets the password, ends all sessions and unlocks the account, and starts no session', async (t) => {
  const admin = await usersApp(t)
  await admin.addUser(EMAIL)
  const { access_token: access, refresh_token: refresh } = await admin.login(EMAIL)
  for (let at = 0; at < 5; at++) await admin.post('login', { email: EMAIL, password: 'wrong' })
  t.equal((await admin.post('login', { email: EMAIL, password: PASSWORD })).json().error.code, 'ACCOUNT_LOCKED')

  const requested = await admin.post(REQUEST, { email: 'ANN@example.com' })
  t.equal(requested.statusCode, 202)
  t.equal(requested.body, '')
  const [mail] = await admin.mails('password_reset')
  t.equal(mail?.to, EMAIL)
  t.ok(mail?.link?.startsWith(`${LINK_URL}#/reset?token=`))
  const token = await admin.tokenOf('password_reset')
  for (const new_password of ['password1234', 'ann@example.com']) {
    const weak = await admin.post(CONFIRM, { token, new_password })
    t.equal(weak.statusCode, 400)
    t.match(weak.json().error, { code: 'INVALID_REQUEST', details: [{ path: '/new_password' }] })
  }
  const confirmed = await admin.post(CONFIRM, { token, new_password: NEW_PASSWORD })
  t.equal(confirmed.statusCode, 204)
  t.equal(confirmed.body, '')
  t.notOk(confirmed.headers['set-cookie'])
  t.equal((await admin.get('me', access)).statusCode, 401)
  t.equal((await admin.refresh(refresh)).statusCode, 401)
  t.equal((await admin.post('login', { email: EMAIL, password: PASSWORD })).statusCode, 401)
  t.ok(await admin.login(EMAIL, NEW_PASSWORD))
  t.match(await admin.mails('password_changed'), [{ to: EMAIL, link: null }])
  const actions = (await admin.audited('auth.password_reset')).map(({ action }) => action)
  t.ok(actions.includes('auth.password_reset_requested'))
})

t.test('a link is valid once, for 30 minutes, and until the next link', async (t) => {
  const admin = await usersApp(t)
  await admin.addUser(EMAIL)
  const confirm = async (token: string) => {
    const reply = await admin.post(CONFIRM, { token, new_password: NEW_PASSWORD })
    return reply.statusCode === 204 ? 204 : `${reply.statusCode} ${reply.json().error.code}`
  }
  await admin.post(REQUEST, { email: EMAIL })
  const replaced = await admin.tokenOf('password_reset')
  await admin.post(REQUEST, { email: EMAIL })
  const used = await admin.tokenOf('password_reset', 2)
  t.equal(await confirm(replaced), '401 INVALID_TOKEN')
  const results = await Promise.all(Array.from({ length: 10 }, () => confirm(used)))
  t.same(results.map(String).sort(), ['204', ...Array<string>(9).fill('401 INVALID_TOKEN')])
  await admin.post(REQUEST, { email: EMAIL })
  const expired = await admin.tokenOf('password_reset', 3)
  admin.clock.now += 30 * 60_000
  t.equal(await confirm(expired), '401 EXPIRED_TOKEN')
})

t.test('a reset leaves the second factor required', async (t) => {
  const admin = await usersApp(t)
  await admin.addUser(EMAIL)
  await admin.store.organisations.update('default', { mfa: 'required' })
  await admin.post(REQUEST, { email: EMAIL })
  const token = await admin.tokenOf('password_reset')
  t.equal((await admin.post(CONFIRM, { token, new_password: NEW_PASSWORD })).statusCode, 204)
  const reply = await admin.post('login', { email: EMAIL, password: NEW_PASSWORD })
  t.equal(reply.statusCode, 403)
  t.notOk(reply.body.includes('access_token'))
})

t.test('a changed password ends a link', async (t) => {
  const admin = await usersApp(t)
  await admin.addUser(EMAIL)
  await admin.post(REQUEST, { email: EMAIL })
  const token = await admin.tokenOf('password_reset')
  const { access_token: access } = await admin.login(EMAIL)
  const changed = await admin.post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, access)
  t.equal(changed.statusCode, 204)
  const reply = await admin.post(CONFIRM, { token, new_password: 'quiet harbours glow at dusk' })
  t.equal(reply.statusCode, 401)
  t.equal(reply.json().error.code, 'INVALID_TOKEN')
})

/** Counts the calls of the store that a request makes before its response. */
function counted (store: TokenStore): { store: TokenStore, calls: string[] } {
  const calls: string[] = []
  const entries = Object.entries(store).map(([name, part]) => {
    if (typeof part !== 'object' || part === null || name === 'audit') return [name, part] as const
    const watched = new Proxy(part as Record<string, unknown>, {
      get (target, method) {
        const value: unknown = Reflect.get(target, method)
        if (typeof value !== 'function') return value
        return (...parameters: unknown[]) => {
          calls.push(`${name}.${String(method)}`)
          return (value as (...all: unknown[]) => unknown).apply(target, parameters)
        }
      }
    })
    return [name, watched] as const
  })
  return { store: Object.fromEntries(entries) as unknown as TokenStore, calls }
}

t.test('an unknown, a disabled and a known email get the same response after the same calls', async (t) => {
  const { store, calls } = counted(memoryStore())
  const admin = await usersApp(t, { store })
  await admin.addUser('owner@example.com', 'owner')
  const { id } = await admin.addUser('disabled@example.com', 'viewer')
  await store.members.update('default', id, { disabled: true })
  await admin.addUser(EMAIL)
  const seen: string[] = []
  admin.app.addHook('onSend', async (_request, _reply, payload) => {
    seen.push(calls.splice(0).join())
    return payload
  })
  const replies = []
  // The known email is the last one, because its mail causes calls after the response.
  for (const email of ['nobody@example.com', 'disabled@example.com', 'a\\b', '%', EMAIL]) {
    calls.splice(0)
    replies.push(await admin.post(REQUEST, { email }))
  }
  const [mail, ...others] = await admin.mails('password_reset')
  t.equal(mail?.to, EMAIL)
  t.same(others, [])
  t.same(seen, Array<string>(5).fill('users.findByEmail'))
  const shapes = replies.map(({ statusCode, body, headers: { date: _date, ...headers } }) =>
    JSON.stringify([statusCode, body, headers])
  )
  t.equal(new Set(shapes).size, 1)
})

t.test('requests are limited per email and per address', async (t) => {
  const admin = await usersApp(t, { users: { resetRateLimit: { max: 2, timeWindow: 60_000 } } })
  await admin.addUser(EMAIL)
  const request = (email: string, remoteAddress: string) =>
    admin.app.inject({ method: 'POST', url: REQUEST, payload: { email }, remoteAddress })
  for (const email of [EMAIL, 'nobody@example.com']) {
    const statuses = []
    for (let at = 0; at < 3; at++) {
      statuses.push((await request(at === 1 ? email.toUpperCase() : email, `192.0.2.${at}`)).statusCode)
    }
    t.same(statuses, [202, 202, 429], email)
  }
  const statuses = []
  for (let at = 0; at < 3; at++) statuses.push((await request(`user-${at}@example.com`, '198.51.100.1')).statusCode)
  t.same(statuses, [202, 202, 429])
})

t.test('a mail that fails leaves the response as it is, and the log has no token', async (t) => {
  const lines: string[] = []
  let resolveLink = (_link: string) => {}
  const sent = new Promise<string>((resolve) => { resolveLink = resolve })
  const admin = await usersApp(t, {
    server: { logger: { level: 'info', stream: { write: (line: string) => { lines.push(line) } } } },
    users: {
      sendMail: async ({ link }) => {
        resolveLink(link ?? '')
        throw Object.assign(new Error(`no route for ${link}`), { code: 'ECONNREFUSED' })
      }
    }
  })
  await admin.addUser(EMAIL)
  t.equal((await admin.post(REQUEST, { email: EMAIL })).statusCode, 202)
  const [, token = ''] = (await sent).split('token=')
  await admin.app.close()
  const line = lines.find((text) => text.includes('mail not sent')) ?? ''
  t.match(JSON.parse(line), { kind: 'password_reset', err: { code: 'ECONNREFUSED', message: /no route for/ } })
  t.ok(token.length > 50)
  t.notOk(lines.join('').includes(token))
})
