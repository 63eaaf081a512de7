import Fastify from 'fastify'
import t from 'tap'

import { createPasswords } from '../../../../lib/passwords/index.js'
import type { Passwords } from '../../../../lib/passwords/index.js'
import adminAuth from '../../../../routes/admin/auth/index.js'
import { PASSWORD, SECRET, adminApp, cheapPasswords, decode } from '../../../helpers/admin.js'

t.test('a login returns a pair of tokens with the documented claims, in a response that is not cached', async (t) => {
  const { addUser, post, clock } = await adminApp(t)
  const user = await addUser('ann@example.com', 'editor')
  const reply = await post('login', { email: 'Ann@Example.com', password: PASSWORD })
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  const { access_token, refresh_token, ...rest } = reply.json()
  t.same(rest, { token_type: 'Bearer', expires_in: 900 })
  const iat = Math.floor(clock.now / 1000)
  const access = decode(access_token)
  t.match(access.header, { alg: 'HS256', typ: 'JWT', kid: /^[0-9a-f]{12}$/ })
  t.match(access.claims, {
    sub: user.id,
    org_id: 'default',
    role: 'editor',
    type: 'access',
    iat,
    exp: iat + 900,
    epoch: 0
  })
  t.match(access.claims, {
    iss: 'fastify-gatehouse',
    aud: 'fastify-gatehouse:admin',
    jti: /^[0-9a-f-]{36}$/,
    sid: /^[0-9a-f-]{36}$/
  })
  const refresh = decode(refresh_token).claims
  t.same(Object.keys(refresh).sort(), ['exp', 'iat', 'jti', 'org_id', 'sid', 'sub', 'type'])
  t.match(refresh, {
    sub: user.id,
    org_id: 'default',
    type: 'refresh',
    iat,
    exp: iat + 604_800,
    sid: access.claims['sid']
  })
})

t.test('an unknown email, a wrong password and a disabled user get the same response after the same ' +
  'work', async (t) => {
  const inner = await cheapPasswords()
  const verified: Array<string | null> = []
  const passwords: Passwords = {
    ...inner,
    verify: async (hash, password) => {
      verified.push(hash)
      return inner.verify(hash, password)
    }
  }
  const { addUser, post, store } = await adminApp(t, { auth: { passwords } })
  await addUser('ann@example.com')
  const off = await addUser('off@example.com')
  await store.members.update('default', off.id, { disabled: true })
  const bodies = []
  for (
    const [email, password] of [['ann@example.com', 'wrong'], ['nobody@example.com', 'wrong'], ['off@example.com',
      PASSWORD]]
  ) {
    const reply = await post('login', { email, password })
    t.equal(reply.statusCode, 401)
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
    bodies.push(reply.body)
  }
  t.equal(new Set(bodies).size, 1)
  t.equal(verified.length, 3, 'one verification per login')
  t.equal(verified[1], null, 'an unknown email verifies a generated hash')
})

t.test('a user with an empty or foreign hash gets the same error as an unknown user', async (t) => {
  const { store, post } = await adminApp(t)
  const hashes = ['', 'none', '$2b$10$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghij',
    '$argon2id$v=19$m=64,t=1,p=1$AAAA']
  for (const [at, passwordHash] of hashes.entries()) {
    await store.users.create({ orgId: 'default', email: `u${at}@example.com`, passwordHash, role: 'owner' })
    const reply = await post('login', {
      email: `u${at}@example.com`,
      password: passwordHash === '' ? 'x' : passwordHash
    })
    t.equal(reply.statusCode, 401, passwordHash)
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS', passwordHash)
  }
})

t.test('five failures lock a known or unknown email for 15 minutes, and no other account', async (t) => {
  const { addUser, login, post, clock, audited } = await adminApp(t)
  await addUser('ann@example.com')
  await addUser('bob@example.com')
  const answers: Record<string, string[]> = {}
  for (const email of ['ann@example.com', 'nobody@example.com']) {
    const codes: string[] = answers[email] = []
    for (let i = 0; i < 6; i++) {
      codes.push(
        (await post('login', { email: i % 2 ? email : email.toUpperCase(), password: 'wrong' })).json().error.code
      )
    }
  }
  t.same(answers['ann@example.com'], [...Array(5).fill('INVALID_CREDENTIALS'), 'ACCOUNT_LOCKED'])
  t.same(answers['nobody@example.com'], answers['ann@example.com'])

  const locked = await post('login', { email: 'ann@example.com', password: PASSWORD })
  t.equal(locked.statusCode, 401)
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED', 'the right password is refused too')
  t.equal(locked.headers['retry-after'], '900')
  t.ok((await audited('auth.locked')).some(({ userEmail }) => userEmail === 'ann@example.com'))
  await login('bob@example.com')
  clock.now += 900_000
  await login('ann@example.com')
})

t.test('an attempt on a locked account is audited only in the organisation of the account', async (t) => {
  const { addUser, post, audited } = await adminApp(t)
  const user = await addUser('ann@example.com', 'admin', 'acme')
  for (let i = 0; i < 6; i++) await post('login', { email: 'ann@example.com', password: 'wrong' })
  await post('login', { email: 'nobody@example.com', password: 'wrong' })
  const trail = await audited('auth.login_failed', 'acme', 1)
  t.ok(trail.some(({ userId, changes }) => userId === user.id && changes?.['reason'] === 'password'))
  const others = await audited('auth.login_failed')
  t.match(others, [{ userId: null, userEmail: null, resourceType: 'email_digest' }])
  t.equal(others.length, 1)
})

t.test('a successful login resets the count of failures', async (t) => {
  const { addUser, login, post } = await adminApp(t)
  await addUser('ann@example.com')
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      t.equal(
        (await post('login', { email: 'ann@example.com', password: 'wrong' })).json().error.code,
        'INVALID_CREDENTIALS'
      )
    }
    await login('ann@example.com')
  }
})

t.test('parallel guesses are limited to five as well', async (t) => {
  const { addUser, post } = await adminApp(t)
  await addUser('ann@example.com')
  const guesses = Array.from({ length: 60 }, (_, i) => i === 40 ? PASSWORD : `wrong ${i}`)
  const replies = await Promise.all(guesses.map((password) => post('login', { email: 'ann@example.com', password })))
  const codes = replies.map((reply) => reply.statusCode === 200 ? 'in' : reply.json().error.code as string)
  t.equal(codes.filter((code) => code === 'INVALID_CREDENTIALS').length, 5)
  t.equal(codes.filter((code) => code === 'ACCOUNT_LOCKED').length, 55, 'the right password among them is refused')
})

t.test('lockout: "hidden" responds to a locked account as to a wrong password, after the same work', async (t) => {
  const inner = await cheapPasswords()
  let work: string[] = []
  const passwords: Passwords = {
    ...inner,
    verify: async (hash, password) => {
      work.push('verify')
      return inner.verify(hash, password)
    }
  }
  const { addUser, post, store } = await adminApp(t, { auth: { passwords, lockout: 'hidden' } })
  for (const name of ['findByEmail', 'lockedUntil', 'countFailure', 'clearFailures'] as const) {
    const method = store.users[name].bind(store.users) as (...parameters: unknown[]) => Promise<never>
    store.users[name] = async (...parameters: unknown[]) => {
      work.push(name)
      return method(...parameters)
    }
  }
  await addUser('ann@example.com')
  const works = []
  for (const password of ['1', '2', '3', '4', '5', '6', PASSWORD]) {
    work = []
    const reply = await post('login', { email: 'ann@example.com', password })
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
    t.equal(reply.headers['retry-after'], undefined)
    works.push(work)
  }
  t.same(works.slice(5), [works[0], works[0]], 'a lock does the same work as a wrong password')
})

t.test('logins are limited to ten per minute, per email and per address', async (t) => {
  const auth = { loginRateLimit: { max: 10, timeWindow: 60_000 }, lockout: { max: 100 } }
  const { addUser, app, post } = await adminApp(t, { auth, server: { trustProxy: true } })
  await addUser('ann@example.com')
  for (let i = 0; i < 10; i++) {
    t.equal((await post('login', { email: `u${i}@example.com`, password: 'wrong' })).statusCode, 401)
  }
  const limited = await post('login', { email: 'other@example.com', password: 'wrong' })
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.ok(Number(limited.headers['retry-after']) > 0)
  const statuses = []
  for (let i = 0; i < 11; i++) {
    const payload = { email: i % 2 ? 'ann@example.com' : 'ANN@example.com', password: 'wrong' }
    statuses.push(
      (await app.inject({
        method: 'POST',
        url: '/v1/admin/auth/login',
        payload,
        headers: { 'x-forwarded-for': `10.0.0.${i}` }
      })).statusCode
    )
  }
  t.same(statuses, [...Array(10).fill(401), 429], 'one email from many addresses')
  statuses.length = 0
  for (let i = 0; i < 11; i++) {
    const payload = { email: `v6-${i}@example.com`, password: 'wrong' }
    statuses.push(
      (await app.inject({
        method: 'POST',
        url: '/v1/admin/auth/login',
        payload,
        headers: { 'x-forwarded-for': `2001:db8::${i}` }
      })).statusCode
    )
  }
  t.same(statuses, [...Array(10).fill(401), 429], 'one /64 is one address')
})

t.test('a login body that does not contain exactly one email and one password is 400', async (t) => {
  const { app, post } = await adminApp(t)
  const cases: Array<[string, unknown]> = [
    ['no password', { email: 'a@b.c' }],
    ['no email', { password: 'x' }],
    ['a number for the email', { email: 1, password: 'x' }],
    ['a list for the password', { email: 'a@b.c', password: ['x'] }],
    ['null', { email: null, password: null }],
    ['an unknown member', { email: 'a@b.c', password: 'x', role: 'owner' }],
    ['a NUL in the email', { email: 'a\u0000@b.c', password: 'x' }],
    ['a password of 1025 characters', { email: 'a@b.c', password: 'x'.repeat(1025) }],
    ['a list', []]
  ]
  for (const [name, body] of cases) {
    const reply = await post('login', body)
    t.equal(reply.statusCode, 400, name)
    t.equal(reply.json().error.code, 'INVALID_REQUEST', name)
  }
  const raw = async (payload: string, type: string) =>
    app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload, headers: { 'content-type': type } })
  t.equal((await raw('{"email":', 'application/json')).json().error.code, 'INVALID_JSON')
  t.equal((await raw('email=a', 'application/x-www-form-urlencoded')).json().error.code, 'UNSUPPORTED_MEDIA_TYPE')
  const flood = await raw(JSON.stringify({ email: 'a@b.c', password: 'x'.repeat(1_000_000) }), 'application/json')
  t.equal(flood.statusCode, 413, '1 MB')
  t.equal(
    (await raw(JSON.stringify({ email: 'a@b.c', password: 'x'.repeat(16_384) }), 'application/json')).statusCode,
    413,
    '16 KB'
  )
  t.equal(
    (await raw('{"email":"a@b.c","password":"x","p\\u0061ssword":"y"}', 'application/json')).json().error.code,
    'INVALID_REQUEST',
    'two passwords'
  )
  t.equal(flood.json().error.code, 'PAYLOAD_TOO_LARGE')
})

t.test('by default a password is stored as argon2id with 19 MiB and 2 passes, and a login renews weaker ' +
  'hashes', async (t) => {
  const passwords = await createPasswords()
  const { addUser, login, store } = await adminApp(t, { auth: { passwords } })
  const user = await addUser('ann@example.com')
  t.match(user.passwordHash, /m=64,t=1/)
  await login('ann@example.com')
  const after = await store.users.get(user.id)
  t.match(after?.passwordHash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  await login('ann@example.com')
  t.equal((await store.users.get(user.id))?.passwordHash, after?.passwordHash, 'a strong hash is kept')
})

t.test('a login fails if the password changes, the account is disabled or all sessions end during the ' +
  'login', async (t) => {
  const inner = await cheapPasswords()
  let meanwhile: () => Promise<unknown> = async () => {}
  const passwords: Passwords = {
    ...inner,
    async verify (hash, password) {
      const ok = await inner.verify(hash, password)
      await meanwhile()
      return ok
    }
  }
  const { addUser, post, store, audited } = await adminApp(t, { auth: { passwords } })
  const user = await addUser('ann@example.com')
  const to = await inner.hash('a new and different one')
  const withdrawals = [
    () => store.users.replacePassword(user.id, { from: user.passwordHash, to, endSessionsBut: 'another' }),
    () => store.members.update('default', user.id, { disabled: true }),
    () => store.sessions.endAll(user.id)
  ]
  for (const withdraw of withdrawals) {
    meanwhile = async () => {
      meanwhile = async () => {}
      await withdraw()
    }
    const reply = await post('login', { email: 'ann@example.com', password: PASSWORD })
    t.equal(reply.statusCode, 401)
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
    await store.users.setPassword(user.id, user.passwordHash)
    await store.members.update('default', user.id, { disabled: false })
    t.same(await store.sessions.list(user.id), [], 'no session is left')
  }
  const [failure] = (await audited('auth.login_failed')).filter(({ action }) => action === 'auth.login_failed')
  t.match(failure, { userId: user.id, userEmail: 'ann@example.com', changes: { reason: 'withdrawn' } })
})

t.test('renewing a weak hash does not overwrite a password that was changed during the login', async (t) => {
  const weak = await cheapPasswords()
  const changed = await weak.hash('a new and different one')
  let meanwhile: () => Promise<unknown> = async () => {}
  const hash = async (password: string) => weak.hash(password).finally(() => meanwhile())
  const passwords: Passwords = { ...weak, hash, needsRehash: () => true }
  const { addUser, post, store } = await adminApp(t, { auth: { passwords } })
  const user = await addUser('ann@example.com')
  meanwhile = async () => {
    await store.users.setPassword(user.id, changed)
  }
  t.equal(
    (await post('login', { email: 'ann@example.com', password: PASSWORD })).json().error.code,
    'INVALID_CREDENTIALS'
  )
  t.equal((await store.users.get(user.id))?.passwordHash, changed)
})

t.test('weak, missing or repeated secrets and invalid options stop the start', async (t) => {
  const cases: Array<[object, RegExp]> = [
    [{}, /"jwtSecrets" is missing/],
    [{ jwtSecrets: [] }, /"jwtSecrets" is missing/],
    [{ jwtSecrets: 'a text' }, /"jwtSecrets" is missing/],
    [{ jwtSecrets: ['short'] }, /jwtSecrets\[0\].*32 bytes/],
    [{ jwtSecrets: [SECRET, 'your-256-bit-secret-your-256-bit-secret'] }, /jwtSecrets\[1\]/],
    [{ jwtSecrets: ['a'.repeat(64)] }, /12 different/],
    [{ jwtSecrets: [SECRET, SECRET] }, /twice/],
    [{ jwtSecrets: [SECRET], accessTtl: 0 }, /"accessTtl"/],
    [{ jwtSecrets: [SECRET], accessTtl: '900000' }, /"accessTtl" must be milliseconds/],
    [{ jwtSecrets: [SECRET], accessTtl: 3_600 },
      /"accessTtl" must be milliseconds, 10000 to 3600000 in steps of 1000; got 3600/],
    [{ jwtSecrets: [SECRET], refreshTtl: 604_800 }, /"refreshTtl" must be milliseconds/],
    [{ jwtSecrets: [SECRET], issuer: '' }, /"issuer"/],
    [{ jwtSecrets: [SECRET], reuseGrace: 30_001 }, /"reuseGrace"/],
    [{ jwtSecrets: [SECRET], reuseGrace: 10 }, /"reuseGrace" must be 0, or 1000 to 30000 milliseconds; got 10/],
    [{ jwtSecrets: [SECRET], reuseGrace: 10_000 }, /"secretsKeys"/],
    [{ jwtSecrets: [SECRET], reuseGrace: 10_000, secretsKeys: ['weak'] }, /secretsKeys\[0\]/],
    [{ jwtSecrets: [SECRET], sessionMaxAge: -1 }, /"sessionMaxAge"/],
    [{ jwtSecrets: [SECRET], sessionMaxAge: 43_200 }, /"sessionMaxAge" must be milliseconds/],
    [{ jwtSecrets: [SECRET], sessionMaxAge: 2_592_000 }, /"sessionMaxAge" must be milliseconds, 3600000 to /],
    [{ jwtSecrets: [SECRET], sessionMaxAge: 3_599_000 }, /"sessionMaxAge" must be milliseconds, 3600000 to /],
    [{ jwtSecrets: [SECRET], lockout: { duration: 900 } }, /"lockout.duration" must be milliseconds/],
    [{ jwtSecrets: [SECRET], lockout: { max: 0 } }, /"lockout.max"/],
    [{ jwtSecrets: [SECRET], passwords: { memoryCost: 64 } }, /"memoryCost"/],
    [{ jwtSecrets: [SECRET], prefix: 'admin' }, /"prefix"/]
  ]
  for (const [options, message] of cases) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(
      async () => app.register(adminAuth, options as never),
      { message, code: 'INVALID_OPTIONS' },
      String(message)
    )
  }
})
