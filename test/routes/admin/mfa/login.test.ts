import t from 'tap'

import { PASSWORD, decode } from '../../../helpers/admin.js'
import { logReader } from '../../../helpers/log-reader.js'
import { mfaApp, totpCode, wrongCode } from '../../../helpers/mfa.js'

const ANN = 'ann@example.com'

t.test('a user with an authenticator app logs in with password and code', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const reply = await app.post('login', { email: ANN, password: PASSWORD })
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.notOk(reply.headers['set-cookie'], 'the password alone makes the browser no known device')
  const challenge = reply.json()
  t.same(Object.keys(challenge).sort(), ['expires_in', 'methods', 'mfa_required', 'mfa_token'])
  t.match(challenge, { mfa_required: true, methods: ['totp', 'recovery_code'], expires_in: 300 })
  for (const token of [challenge.mfa_token, undefined]) {
    t.equal((await app.get('me', token)).statusCode, 401, 'the token gives no access')
  }
  app.clock.now += 30_000
  const done = await app.verify(challenge.mfa_token, totpCode(secret, app.clock.now))
  t.equal(done.statusCode, 200)
  t.match(done.headers['set-cookie'], /^gatehouse_device_/)
  t.equal((await app.get('me', done.json().access_token)).json().id, id)
  const { claims } = decode(done.json().access_token)
  t.equal((await app.store.sessions.access(String(claims['sid'])))?.mfaAt, app.clock.now)
  const actions = (await app.audited('auth.mfa_verified')).map(({ action, changes }) => [action, changes])
  t.match(actions.find(([action]) => action === 'auth.mfa_verified'), ['auth.mfa_verified', { method: 'totp' }])
  t.match(actions[0], ['auth.login', { second_factor: 'totp' }])
  t.match(actions.find(([action]) => action === 'auth.mfa_challenged'), [
    'auth.mfa_challenged',
    { methods: ['totp', 'recovery_code'] }
  ])
})

t.test('the response to a wrong password does not tell whether the user has a second factor', async (t) => {
  const app = await mfaApp(t)
  for (const name of ['ann', 'bob']) await app.addUser(`${name}@example.com`)
  await app.enrol((await app.login(ANN)).access_token)
  const replies: Array<[number, string]> = []
  for (const name of ['ann', 'bob', 'nobody']) {
    const reply = await app.post('login', { email: `${name}@example.com`, password: 'wrong' })
    replies.push([reply.statusCode, reply.body])
  }
  t.same(replies, Array.from({ length: 3 }, () => replies[0]))
  t.equal(replies[0]?.[0], 401)
})

t.test('a code works once, within its step and one step around it', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const verify = async (code: string) => app.verify((await app.challenge(ANN)).mfa_token, code)
  t.equal((await verify(totpCode(secret, app.clock.now))).statusCode, 401, 'the code of the set-up')
  app.clock.now += 90_000
  const early = totpCode(secret, app.clock.now - 30_000)
  const code = totpCode(secret, app.clock.now)
  t.equal((await verify(totpCode(secret, app.clock.now - 60_000))).statusCode, 401, 'two steps old')
  t.equal((await verify(totpCode(secret, app.clock.now + 60_000))).statusCode, 401, 'two steps ahead')
  t.equal((await verify(code)).statusCode, 200)
  const replay = await verify(code)
  t.equal(replay.statusCode, 401)
  t.match(replay.json().error, { code: 'INVALID_CREDENTIALS', message: 'The code is wrong or was used before' })
  t.equal((await verify(early)).statusCode, 401, 'an earlier step than the last one')
  t.equal((await verify(totpCode(secret, app.clock.now + 30_000))).statusCode, 200, 'a clock that is fast')
})

t.test('only one of eight parallel logins with one code succeeds', async (t) => {
  const app = await mfaApp(t, { auth: { lockout: { max: 100 } } })
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  app.clock.now += 30_000
  const code = totpCode(secret, app.clock.now)
  const tokens = await Promise.all(Array.from({ length: 8 }, async () => (await app.challenge(ANN)).mfa_token))
  const statuses = (await Promise.all(tokens.map((token) => app.verify(token, code)))).map((reply) => reply.statusCode)
  t.same(statuses.sort(), [200, 401, 401, 401, 401, 401, 401, 401])
})

t.test('a token works once, and only for its own step of the login', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { secret, recoveryCodes } = await app.enrol((await app.login(ANN)).access_token)
  const { mfa_token: token } = await app.challenge(ANN)
  app.clock.now += 30_000
  t.equal((await app.verify(token, totpCode(secret, app.clock.now))).statusCode, 200)
  const again = await app.verify(token, recoveryCodes[0] ?? '')
  t.equal(again.statusCode, 401)
  t.match(again.json().error, { code: 'INVALID_CREDENTIALS', message: 'The login has expired; log in again' })
  const { mfa_token: other } = await app.challenge(ANN)
  for (const path of ['mfa/enrol/totp', 'mfa/enrol/totp/confirm']) {
    const reply = await app.post(path, { mfa_token: other, ...path.endsWith('confirm') ? { code: '123456' } : {} })
    t.equal(reply.statusCode, 401, `${path}: a factor exists already`)
  }
})

t.test('a token ends after 5 minutes, and when the user changes', async (t) => {
  const app = await mfaApp(t)
  const { id } = await app.addUser(ANN)
  await app.addUser('owner@example.com', 'owner')
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const { members, sessions, users } = app.store
  const changes: Array<[string, () => unknown, (() => unknown)?]> = [
    ['5 minutes', () => { app.clock.now += 300_000 }],
    ['another password', () => users.setPassword(id, 'another hash'), () => restore()],
    ['logged out everywhere', () => sessions.endAll(id)],
    [
      'disabled',
      () => members.update('default', id, { disabled: true }),
      () => members.update('default', id, { disabled: false })
    ]
  ]
  const hash = (await users.get(id))?.passwordHash ?? ''
  const restore = () => users.setPassword(id, hash)
  for (const [title, change, undo] of changes) {
    const { mfa_token: token } = await app.challenge(ANN)
    await change()
    app.clock.now += 60_000
    const reply = await app.verify(token, totpCode(secret, app.clock.now))
    t.equal(reply.statusCode, 401, title)
    t.equal(reply.json().error.message, 'The login has expired; log in again', title)
    await undo?.()
  }
  await app.loginWithCode(ANN, secret)
})

t.test('forged and foreign tokens are refused', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { access_token: access, refresh_token: refresh } = await app.login(ANN)
  const { secret } = await app.enrol(access)
  const { mfa_token: token } = await app.challenge(ANN)
  app.clock.now += 30_000
  const code = totpCode(secret, app.clock.now)
  const altered = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`
  for (const wrong of [access, refresh, 'x', altered, `${token}.`, token.replace('v1', 'v2'), token.toUpperCase()]) {
    const reply = await app.verify(wrong, code)
    t.equal(reply.statusCode, 401, wrong.slice(0, 12))
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS')
  }
  for (const body of [{}, { code }, { mfa_token: token }, { mfa_token: token, code: 123456 }, { mfa_token: '', code },
    { mfa_token: token, code, role: 'owner' }, { mfa_token: token, code: 'x'.repeat(41) }]) {
    t.equal((await app.post('mfa/verify', body)).statusCode, 400)
  }
  t.equal((await app.verify(token, code)).statusCode, 200)
})

t.test('5 wrong codes invalidate a token and lock only the codes of the account', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  await app.addUser('bob@example.com')
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  const { secret: bobs } = await app.enrol((await app.login('bob@example.com')).access_token)
  app.clock.now += 30_000
  const { mfa_token: token } = await app.challenge(ANN)
  for (let count = 1; count <= 5; count++) {
    const reply = await app.verify(token, wrongCode(secret, app.clock.now))
    t.equal(reply.json().error.code, 'INVALID_CREDENTIALS', `code ${count}`)
  }
  t.equal((await app.verify(token, totpCode(secret, app.clock.now))).statusCode, 401, 'the sixth, which is right')
  const { mfa_token: next } = await app.challenge(ANN)
  const locked = await app.verify(next, totpCode(secret, app.clock.now))
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED')
  t.equal(locked.headers['retry-after'], '900')
  await app.loginWithCode('bob@example.com', bobs)
  const entries = await app.audited('auth.locked')
  t.match(entries.find(({ action }) => action === 'auth.locked'), { changes: { second_factor: true } })
  t.ok(entries.some(({ action }) => action === 'auth.mfa_failed'))
  app.clock.now += 900_000
  await app.loginWithCode(ANN, secret)
})

t.test('at most 5 parallel guesses are checked, and a correct code resets the count', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  app.clock.now += 30_000
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => (await app.challenge(ANN)).mfa_token))
  const replies = await Promise.all(tokens.map((token) => app.verify(token, wrongCode(secret, app.clock.now))))
  const codes = replies.map((reply) => reply.json().error.code)
  t.equal(codes.filter((code) => code === 'INVALID_CREDENTIALS').length, 5)
  t.equal(codes.filter((code) => code === 'ACCOUNT_LOCKED').length, 15)
  app.clock.now += 900_000
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 4; count++) {
      const { mfa_token: token } = await app.challenge(ANN)
      t.equal((await app.verify(token, wrongCode(secret, app.clock.now))).json().error.code, 'INVALID_CREDENTIALS')
    }
    await app.loginWithCode(ANN, secret)
  }
})

t.test('with a hidden lock-out a locked account responds as for a wrong code', async (t) => {
  const app = await mfaApp(t, { auth: { lockout: 'hidden' } })
  await app.addUser(ANN)
  const { secret } = await app.enrol((await app.login(ANN)).access_token)
  app.clock.now += 30_000
  const replies = []
  for (let count = 0; count < 6; count++) {
    const { mfa_token: token } = await app.challenge(ANN)
    const code = count < 5 ? wrongCode(secret, app.clock.now) : totpCode(secret, app.clock.now)
    replies.push((await app.verify(token, code)).body)
  }
  t.equal(new Set(replies).size, 1)
})

t.test('a recovery code logs in once, as typed in any way', async (t) => {
  const app = await mfaApp(t)
  await app.addUser(ANN)
  const { recoveryCodes } = await app.enrol((await app.login(ANN)).access_token)
  t.equal(new Set(recoveryCodes).size, 10)
  for (const code of recoveryCodes) t.match(code, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){5}$/)
  const [first = '', second = ''] = recoveryCodes
  const verify = async (code: string) => (await app.verify((await app.challenge(ANN)).mfa_token, code)).statusCode
  t.same([await verify(first), await verify(first)], [200, 401])
  t.equal(await verify(` ${second.toUpperCase().replaceAll('-', ' ')} `), 200)
  t.equal(await verify('0000-0000-0000-0000'), 401)
  const used = (await app.audited('auth.mfa_recovery_used', 'default', 2)).filter(({ action }) =>
    action === 'auth.mfa_recovery_used'
  )
  t.same(used.map(({ changes }) => changes), [{ left: 8 }, { left: 9 }])
})

t.test('no secret, code or token is in the log or in the audit trail', async (t) => {
  const { stream, text } = logReader()
  const app = await mfaApp(t, { server: { logger: { level: 'trace', stream } } })
  await app.addUser(ANN)
  const { access_token: access } = await app.login(ANN)
  const { secret, recoveryCodes } = await app.enrol(access)
  const { mfa_token: token } = await app.challenge(ANN)
  await app.verify(token, wrongCode(secret, app.clock.now))
  await app.verify(token, recoveryCodes[0] ?? '')
  await app.loginWithCode(ANN, secret)
  const trail = JSON.stringify(await app.audited('auth.mfa_recovery_used'))
  for (const hidden of [secret, token, access, PASSWORD, ...recoveryCodes]) {
    t.notMatch(text(), hidden)
    t.notMatch(trail, hidden)
  }
})
