import t from 'tap'
import type { Test } from 'tap'

import { UNAVAILABLE } from '../../../../lib/errors.js'
import type { TokenPair } from '../../../../schemas/admin-auth.js'
import { DAY, adminApp, decode, forge } from '../../../helpers/admin.js'
import type { AdminApp } from '../../../helpers/admin.js'
import { backend } from '../../../helpers/backend.js'
import { logReader } from '../../../helpers/log-reader.js'
import { rawExchange } from '../../../helpers/raw-socket.js'

const SECRETS_KEY = 'Zt5-wq8NcR2_yHf7Lb0vKx4Jd9Gm3Ps6'

async function statusOf (app: AdminApp, pair: TokenPair): Promise<[number, number]> {
  return [(await app.get('me', pair.access_token)).statusCode, (await app.refresh(pair.refresh_token)).statusCode]
}

function assertRefused (t: Test, reply: Awaited<ReturnType<AdminApp['refresh']>>, message = 'refused'): void {
  t.equal(reply.statusCode, 401, message)
  t.equal(reply.json().error.code, 'INVALID_REFRESH_TOKEN', message)
}

t.test('a refresh returns a new pair of the same session, and both tokens work', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  const first = await app.login('ann@example.com')
  app.clock.now += 60_000
  const reply = await app.refresh(first.refresh_token)
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  const second = reply.json<TokenPair>()
  t.not(second.refresh_token, first.refresh_token)
  t.equal(decode(second.refresh_token).claims['sid'], decode(first.refresh_token).claims['sid'])
  t.same(await statusOf(app, second), [200, 200])
})

t.test('an access token expires no later than its session, and "expires_in" matches', async (t) => {
  const app = await adminApp(t, { auth: { sessionMaxAge: 3_600_000 } })
  await app.addUser('ann@example.com')
  const first = await app.login('ann@example.com')
  t.equal(first.expires_in, 900)
  app.clock.now += 3_300_000
  const second = (await app.refresh(first.refresh_token)).json<TokenPair>()
  t.equal(second.expires_in, 300)
  const { iat, exp } = decode(second.access_token).claims as { iat: number, exp: number }
  t.equal(exp - iat, 300)
})

t.test('reusing a refresh token ends every session of the user and invalidates the access tokens', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  await app.addUser('bob@example.com')
  const laptop = await app.login('ann@example.com')
  const phone = await app.login('ann@example.com')
  const bob = await app.login('bob@example.com')
  const next = (await app.refresh(laptop.refresh_token)).json<TokenPair>()
  assertRefused(t, await app.refresh(laptop.refresh_token))
  for (const pair of [laptop, next, phone]) t.same(await statusOf(app, pair), [401, 401])
  t.same(await statusOf(app, bob), [200, 200], 'another user is not touched')
  t.same(await statusOf(app, await app.login('ann@example.com')), [200, 200], 'the user can log in again')
})

t.test('reusing the first of four refresh tokens invalidates all four', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  const chain = [await app.login('ann@example.com')]
  for (let i = 0; i < 3; i++) chain.push((await app.refresh(chain[i]?.refresh_token ?? '')).json<TokenPair>())
  assertRefused(t, await app.refresh(chain[0]?.refresh_token ?? ''))
  for (const pair of chain) t.same(await statusOf(app, pair), [401, 401])
})

t.test('only one of N parallel refreshes of one token succeeds, and the reuse ends the session', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  for (const n of [20, 50]) {
    let winners = 0
    for (let round = 0; round < 200; round++) {
      const { refresh_token } = await app.login('ann@example.com')
      const replies = await Promise.all(Array.from({ length: n }, () => app.refresh(refresh_token)))
      const won = replies.filter(({ statusCode }) => statusCode === 200).map((reply) => reply.json<TokenPair>())
      if (won.length > 1 || replies.some(({ statusCode }) => statusCode !== 200 && statusCode !== 401)) {
        return t.fail(`${won.length} refreshes succeeded in round ${round} of ${n}`)
      }
      winners += won.length
      for (const pair of won) {
        if ((await statusOf(app, pair)).some((status) => status !== 401)) {
          return t.fail(`a new token still works in round ${round} of ${n}`)
        }
      }
    }
    t.equal(winners, 200, `${n} at a time`)
  }
})

t.test('only one of two pipelined refreshes of one token succeeds', async (t) => {
  const { app, addUser, login } = await adminApp(t)
  await addUser('ann@example.com')
  const { refresh_token } = await login('ann@example.com')
  const body = JSON.stringify({ refresh_token })
  const head =
    `POST /v1/admin/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const text = await rawExchange(origin, `${head}\r\n${body}${head}Connection: close\r\n\r\n${body}`)
  t.same([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status).sort(), ['200', '401'])
})

t.test('a refresh is refused after logout, logout-all, disabling the user or changing the password in another ' +
  'session', async (t) => {
  const app = await adminApp(t)
  const user = await app.addUser('ann@example.com')
  const ends: Array<[string, (pair: TokenPair) => Promise<unknown>]> = [
    ['logout', (pair) => app.post('logout', { refresh_token: pair.refresh_token })],
    ['logout-all', async () => app.post('logout-all', undefined, (await app.login('ann@example.com')).access_token)],
    ['password', async () => {
      const { access_token } = await app.login('ann@example.com')
      const endSessionsBut = decode(access_token).claims['sid'] as string
      return app.store.users.replacePassword(user.id, {
        from: user.passwordHash,
        to: user.passwordHash,
        endSessionsBut
      })
    }],
    ['disable', async () => app.store.members.update('default', user.id, { disabled: true })]
  ]
  for (const [name, end] of ends) {
    const pair = await app.login('ann@example.com')
    await end(pair)
    t.same(await statusOf(app, pair), [401, 401], name)
  }
})

t.test('a session that is refreshed every six days ends 30 days after its login', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  const start = app.clock.now
  let pair = await app.login('ann@example.com')
  const statuses = []
  for (let day = 6; day <= 36; day += 6) {
    app.clock.now = start + day * DAY - 1000
    const reply = await app.refresh(pair.refresh_token)
    statuses.push(reply.statusCode)
    if (reply.statusCode === 200) pair = reply.json<TokenPair>()
    t.ok(
      Number(decode(pair.refresh_token).claims['exp']) * 1000 <= start + 30 * DAY,
      `the token of day ${day} does not outlive the session`
    )
  }
  t.same(statuses, [200, 200, 200, 200, 200, 401])
})

t.test('a refresh token with another signature, user, organisation or session is 401 and revokes ' +
  'nothing', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  const bob = await app.addUser('bob@example.com')
  const pair = await app.login('ann@example.com')
  const { header, claims } = decode(pair.refresh_token)
  const foreign = 'another-secret-0123456789-ABCDEFGH'
  const cases: Array<[string, string]> = [
    ['garbage', 'garbage'],
    ['signed by another secret', forge(header, claims, foreign)],
    ['another user', forge(header, { ...claims, sub: bob.id })],
    ['another organisation', forge(header, { ...claims, org_id: 'other' })],
    ['an unknown session', forge(header, { ...claims, sid: '00000000-0000-4000-8000-000000000000' })],
    ['an access token', pair.access_token],
    ['no session', forge(header, { ...claims, sid: undefined })],
    ['no id', forge(header, { ...claims, jti: '' })]
  ]
  for (const [name, token] of cases) assertRefused(t, await app.refresh(token), name)
  t.equal((await app.get('me', pair.access_token)).statusCode, 200)
  t.equal((await app.refresh(pair.refresh_token)).statusCode, 200)
})

t.test('a used refresh token that has expired is 401 and ends no session', async (t) => {
  const app = await adminApp(t)
  await app.addUser('ann@example.com')
  const first = await app.login('ann@example.com')
  app.clock.now += 6 * DAY
  const second = (await app.refresh(first.refresh_token)).json<TokenPair>()
  app.clock.now += 2 * DAY
  assertRefused(t, await app.refresh(first.refresh_token))
  t.equal((await app.refresh(second.refresh_token)).statusCode, 200)
})

t.test('a reuse is one audit entry with user, address and digest of the token id, and no token is ' +
  'logged', async (t) => {
  const log = logReader()
  const app = await adminApp(t, { server: { logger: { level: 'trace', stream: log.stream } } })
  const user = await app.addUser('ann@example.com')
  const pair = await app.login('ann@example.com')
  const next = (await app.refresh(pair.refresh_token)).json<TokenPair>()
  for (let i = 0; i < 3; i++) assertRefused(t, await app.refresh(pair.refresh_token))
  const reuses = (await app.audited('auth.refresh_reused')).filter(({ action }) => action === 'auth.refresh_reused')
  t.equal(reuses.length, 1)
  t.match(reuses[0], {
    userId: user.id,
    userEmail: 'ann@example.com',
    orgId: 'default',
    ipAddress: '127.0.0.1',
    changes: { jti_sha256: /^[0-9a-f]{64}$/ }
  })
  t.match(
    log.lines().filter(({ msg, audit }) =>
      msg === 'audit' && (audit as { action: string }).action === 'auth.refresh_reused'
    ).at(-1),
    { audit: { action: 'auth.refresh_reused', userId: user.id } }
  )
  for (const token of [pair.refresh_token, next.refresh_token, pair.access_token]) {
    const signature = token.split('.')[2] ?? token
    t.notOk(log.text().includes(signature))
    t.notOk(JSON.stringify(reuses).includes(signature))
  }
})

t.test('refreshes are limited per user', async (t) => {
  const app = await adminApp(t, { auth: { userRateLimit: { max: 5, timeWindow: 60_000 } } })
  for (const name of ['ann', 'bob']) await app.addUser(`${name}@example.com`)
  let pair = await app.login('ann@example.com')
  const bob = await app.login('bob@example.com')
  for (let i = 0; i < 5; i++) pair = (await app.refresh(pair.refresh_token)).json<TokenPair>()
  const limited = await app.refresh(pair.refresh_token)
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.equal((await app.refresh(bob.refresh_token)).statusCode, 200)
})

t.test('a repeat within reuseGrace returns the same pair; a later repeat, or of an older token, is a ' +
  'reuse', async (t) => {
  const app = await adminApp(t, { auth: { reuseGrace: 10_000, secretsKeys: [SECRETS_KEY] } })
  await app.addUser('ann@example.com')
  const first = await app.login('ann@example.com')
  const replies = await Promise.all(Array.from({ length: 10 }, () => app.refresh(first.refresh_token)))
  t.equal(new Set(replies.map(({ body }) => body)).size, 1)
  const second = replies[0]?.json<TokenPair>()
  app.clock.now += 9_999
  t.same((await app.refresh(first.refresh_token)).json(), second)
  app.clock.now += 2
  assertRefused(t, await app.refresh(first.refresh_token))
  assertRefused(t, await app.refresh(second?.refresh_token ?? ''))

  const chain = [await app.login('ann@example.com')]
  for (let i = 0; i < 2; i++) chain.push((await app.refresh(chain[i]?.refresh_token ?? '')).json<TokenPair>())
  assertRefused(t, await app.refresh(chain[0]?.refresh_token ?? ''), 'an older token, within the grace period')
  t.same(await statusOf(app, chain[2] as TokenPair), [401, 401])
})

t.test('a failing store is 503 before the rotation, and the refresh token stays valid', async (t) => {
  const { store } = await backend(t)
  let away = false
  const access = store.sessions.access.bind(store.sessions)
  store.sessions.access = (id) => away ? Promise.reject(new UNAVAILABLE()) : access(id)
  const app = await adminApp(t, { store })
  await app.addUser('ann@example.com')
  const pair = await app.login('ann@example.com')
  away = true
  for (const reply of [await app.refresh(pair.refresh_token), await app.get('me', pair.access_token)]) {
    t.equal(reply.statusCode, 503)
    t.equal(reply.json().error.code, 'UNAVAILABLE')
    t.equal(reply.headers['retry-after'], '1')
  }
  away = false
  t.equal((await app.refresh(pair.refresh_token)).statusCode, 200)
})

t.test('a body without exactly one refresh token is 400 for refresh and logout', async (t) => {
  const { post } = await adminApp(t)
  for (
    const body of [{}, { refresh_token: 1 }, { refresh_token: '' }, { refresh_token: 'x', more: 1 }, {
      refresh_token: 'x'.repeat(4097)
    }, []]
  ) {
    for (const url of ['refresh', 'logout']) {
      const reply = await post(url, body)
      t.equal(reply.statusCode, 400, url)
      t.equal(reply.json().error.code, 'INVALID_REQUEST', url)
    }
  }
})
