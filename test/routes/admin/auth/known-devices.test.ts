import { createHash } from 'node:crypto'

import { parseSetCookie } from 'cookie'
import t from 'tap'
import type { Test } from 'tap'

import { PASSWORD, adminApp } from '../../../helpers/admin.js'
import type { AdminApp, AdminAppOptions } from '../../../helpers/admin.js'

const ANN = 'ann@example.com'
const LOGIN = '/v1/admin/auth/login'

async function withAnn (t: Test, options: AdminAppOptions = {}) {
  const admin = await adminApp(t, options)
  await admin.addUser(ANN)
  return admin
}

/** Logs in and returns the error code or `in`, and the cookie of the response. */
async function logIn ({ app }: AdminApp, password: string, { email = ANN, cookie = '' } = {}) {
  const reply = await app.inject({
    method: 'POST',
    url: LOGIN,
    payload: { email, password },
    headers: cookie === '' ? {} : { cookie }
  })
  const set = reply.headers['set-cookie'] as string | undefined
  return {
    code: reply.statusCode === 200 ? 'in' : reply.json().error.code as string,
    cookie: set?.split(';')[0] ?? '',
    set
  }
}

async function lockOut (admin: AdminApp, options: { email?: string, cookie?: string } = {}): Promise<void> {
  for (let i = 0; i < 5; i++) t.equal((await logIn(admin, 'wrong', options)).code, 'INVALID_CREDENTIALS')
  t.equal((await logIn(admin, PASSWORD, options)).code, 'ACCOUNT_LOCKED')
}

t.test('a login sets a device cookie that scripts cannot read, only for the login route, and Secure over ' +
  'HTTPS', async (t) => {
  const admin = await withAnn(t, { server: { trustProxy: true } })
  for (const secure of [false, true]) {
    const reply = await admin.app.inject({
      method: 'POST',
      url: LOGIN,
      payload: { email: ANN, password: PASSWORD },
      headers: secure ? { 'x-forwarded-proto': 'https' } : {}
    })
    const { name, value = '', ...attributes } = parseSetCookie(String(reply.headers['set-cookie']))
    t.match(name, /^gatehouse_device_[0-9a-f]{12}$/)
    t.match(value, /^[\w-]{16}\.\d+\.[\w-]{43}$/)
    t.strictSame(attributes, {
      path: LOGIN,
      maxAge: 34_560_000,
      httpOnly: true,
      sameSite: 'strict',
      ...secure ? { secure } : {}
    })
  }
  t.equal((await logIn(admin, 'wrong')).set, undefined, 'a failed login sets no cookie')
})

t.test('a lock that strangers cause does not apply to a device from which the user has logged in', async (t) => {
  const admin = await withAnn(t)
  const { cookie } = await logIn(admin, PASSWORD)
  await lockOut(admin)
  t.equal((await logIn(admin, 'mistyped', { cookie })).code, 'INVALID_CREDENTIALS')
  t.equal((await logIn(admin, PASSWORD, { cookie })).code, 'in')
  t.equal((await logIn(admin, PASSWORD)).code, 'ACCOUNT_LOCKED', 'the lock for strangers stays')
})

t.test('a stolen device cookie allows five guesses, and its lock does not apply to other clients', async (t) => {
  const admin = await withAnn(t)
  const [stolen, own] = [(await logIn(admin, PASSWORD)).cookie, (await logIn(admin, PASSWORD)).cookie]
  await lockOut(admin, { cookie: stolen })
  t.equal((await logIn(admin, PASSWORD, { cookie: own })).code, 'in')
  t.equal((await logIn(admin, PASSWORD)).code, 'in')
  t.equal((await logIn(admin, PASSWORD, { cookie: stolen })).code, 'ACCOUNT_LOCKED')
  admin.clock.now += 900_000
  t.equal((await logIn(admin, PASSWORD, { cookie: stolen })).code, 'in')
})

t.test('a login with the cookie extends the cookie and keeps its id and its count of failures', async (t) => {
  const admin = await withAnn(t)
  const first = await logIn(admin, PASSWORD)
  admin.clock.now += 399 * 86_400_000
  const second = await logIn(admin, PASSWORD, { cookie: first.cookie })
  t.not(second.cookie, first.cookie)
  t.equal(second.cookie.split('.')[0], first.cookie.split('.')[0])
  admin.clock.now += 2 * 86_400_000
  await lockOut(admin)
  t.equal(
    (await logIn(admin, PASSWORD, { cookie: first.cookie })).code,
    'ACCOUNT_LOCKED',
    'a cookie older than 400 days is not valid'
  )
  t.equal((await logIn(admin, PASSWORD, { cookie: second.cookie })).code, 'in')
})

t.test('an altered cookie or a cookie of another user does not pass the lock', async (t) => {
  const admin = await withAnn(t)
  const bob = await admin.addUser('bob@example.com')
  const { cookie } = await logIn(admin, PASSWORD)
  const { cookie: bobs } = await logIn(admin, PASSWORD, { email: bob.email })
  await lockOut(admin)
  const [name = '', value = ''] = cookie.split('=')
  const [id = '', issued = '', signature = ''] = value.split('.')
  for (
    const stranger of [
      '',
      '..',
      id,
      `${id}.${issued}`,
      `${id}.${issued}.`,
      `${id}.${issued}.${signature}.`,
      `${id}.${Number(issued) + 1}.${signature}`,
      `x${id.slice(1)}.${issued}.${signature}`,
      `${id}.${issued}.${'A'.repeat(43)}`,
      bobs.slice(bobs.indexOf('=') + 1),
      'x'.repeat(4_000),
      '%00',
      '%zz'
    ]
  ) t.equal((await logIn(admin, PASSWORD, { cookie: `${name}=${stranger}` })).code, 'ACCOUNT_LOCKED', stranger)
  t.equal((await logIn(admin, PASSWORD, { cookie: bobs })).code, 'ACCOUNT_LOCKED')
  t.equal((await logIn(admin, PASSWORD, { cookie: `${bobs}; ${cookie}` })).code, 'in', 'two users can share a browser')
})

t.test('logout-all ends the trust in the devices of the user', async (t) => {
  const admin = await withAnn(t)
  const { cookie } = await logIn(admin, PASSWORD)
  const { access_token } = await admin.login(ANN)
  t.equal((await admin.post('logout-all', {}, access_token)).statusCode, 204)
  await lockOut(admin)
  t.equal((await logIn(admin, PASSWORD, { cookie })).code, 'ACCOUNT_LOCKED')
})

t.test('knownDevices: false sets no cookie, and an invalid value stops the start', async (t) => {
  const admin = await withAnn(t, { auth: { lockout: { knownDevices: false } } })
  const { set } = await logIn(admin, PASSWORD)
  t.equal(set, undefined)
  await t.rejects(withAnn(t, { auth: { lockout: { knownDevices: 1 as unknown as boolean } } }), {
    code: 'INVALID_OPTIONS',
    message: /lockout\.knownDevices/
  })
})

t.test('wrong current passwords in one session lock neither the login nor other sessions', async (t) => {
  const admin = await withAnn(t)
  const [thief, own] = [await admin.login(ANN), await admin.login(ANN)]
  const change = (current_password: string, token: string) =>
    admin.post('password', { current_password, new_password: 'another quite unguessable one' }, token)
  for (let i = 0; i < 5; i++) {
    t.equal((await change('wrong', thief.access_token)).json().error.code, 'INVALID_CREDENTIALS')
  }
  t.equal((await change(PASSWORD, thief.access_token)).json().error.code, 'ACCOUNT_LOCKED')
  t.equal((await logIn(admin, PASSWORD)).code, 'in')
  t.equal((await change(PASSWORD, own.access_token)).statusCode, 204)
})

t.test('an unknown email is in no audit entry, log line or store; only a keyed digest of it is', async (t) => {
  const lines: string[] = []
  const server = {
    logger: {
      level: 'trace',
      stream: {
        write: (line: string) => {
          lines.push(line)
        }
      }
    }
  } as const
  const admin = await withAnn(t, { server })
  const stored: unknown[][] = []
  for (const name of ['lockedUntil', 'countFailure'] as const) {
    const method = admin.store.users[name].bind(admin.store.users) as (...parameters: unknown[]) => Promise<never>
    admin.store.users[name] = async (...parameters: unknown[]) => {
      stored.push(parameters)
      return method(...parameters)
    }
  }
  const typed = 'Correct-Horse-7'
  for (let i = 0; i < 6; i++) await logIn(admin, 'wrong', { email: i % 2 ? typed : typed.toUpperCase() })
  await logIn(admin, 'wrong', { email: 'another-password' })
  await logIn(admin, 'wrong', { email: 'ANN@example.com' })
  const entries = (await admin.audited('auth.login_failed', 'default', 2)).filter(({ action }) =>
    action === 'auth.login_failed'
  )
  const everything = JSON.stringify([entries, stored, lines]).toLowerCase()
  t.notMatch(everything, typed.toLowerCase())
  t.notMatch(
    everything,
    createHash('sha256').update(typed.toLowerCase()).digest('hex').slice(0, 16),
    'no digest without a key'
  )
  t.match(entries[0], { userEmail: ANN, resourceType: null, resourceId: null }, 'the email of a user is audited')
  t.match(entries[1], { userEmail: null, resourceType: 'email_digest', resourceId: /^[0-9a-f]{16}$/ })
  t.equal(entries.length, 2, 'unknown emails from one address are one entry a minute')
  t.equal(new Set(stored.map(([subject]) => subject)).size, 3, 'each email has a separate count')
})
