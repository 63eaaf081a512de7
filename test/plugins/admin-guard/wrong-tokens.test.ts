import t from 'tap'

import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import type { AdminApp } from '../../helpers/admin.js'
import { SECRET, adminApp, decode, forge } from '../../helpers/admin.js'

const WRONG = ['Bearer x', 'Bearer a.b.c',
  `Bearer ${forge({ alg: 'HS256', typ: 'JWT' }, { sub: 'x' }, 'another secret of 32 bytes and more')}`, 'Basic YTpi',
  'Bearer a b']

function read ({ app }: AdminApp, authorization: string, address: string) {
  return app.inject({ url: '/v1/admin/auth/me', headers: { authorization, 'x-forwarded-for': address } })
}

async function withLimit (t: Parameters<typeof adminApp>[0], options: Parameters<typeof adminApp>[1] = {}) {
  const admin = await adminApp(t, {
    ...options,
    auth: { tokenRateLimit: { max: 5, timeWindow: 60_000 } },
    server: { trustProxy: true }
  })
  const user = await admin.addUser('ann@example.com')
  return { admin, user, ...await admin.login('ann@example.com') }
}

t.test('wrong access tokens from one address are limited, and a valid token from that address ' +
  'still works', async (t) => {
  const { admin, access_token } = await withLimit(t)
  for (const authorization of WRONG) {
    t.equal((await read(admin, authorization, '203.0.113.7')).statusCode, 401, authorization)
  }
  for (const authorization of [...WRONG, `Bearer ${access_token.slice(0, -3)}abc`]) {
    const reply = await read(admin, authorization, '203.0.113.7')
    t.equal(reply.statusCode, 429, authorization)
    t.equal(reply.json().error.code, 'RATE_LIMITED')
    t.ok(Number(reply.headers['retry-after']) > 0)
  }
  const valid = await read(admin, `Bearer ${access_token}`, '203.0.113.7')
  t.equal(valid.statusCode, 200)
  t.notOk(Object.keys(valid.headers).includes('retry-after'))
  t.equal((await read(admin, 'Bearer x', '203.0.113.8')).statusCode, 401, 'another address')
})

t.test('wrong tokens from one IPv6 /64 count as one address', async (t) => {
  const { admin } = await withLimit(t)
  const statuses: number[] = []
  for (let i = 1; i <= 7; i++) statuses.push((await read(admin, 'Bearer x', `2001:db8::${i}`)).statusCode)
  t.same(statuses, [401, 401, 401, 401, 401, 429, 429])
})

t.test('an expired token and a request without a token do not count as guesses', async (t) => {
  const { admin, access_token } = await withLimit(t)
  admin.clock.now += 1_000_000
  for (let i = 0; i < 8; i++) {
    t.equal((await read(admin, `Bearer ${access_token}`, '203.0.113.7')).json().error.code, 'EXPIRED_TOKEN')
    t.equal(
      (await admin.app.inject({ url: '/v1/admin/auth/me', headers: { 'x-forwarded-for': '203.0.113.7' } })).json().error
        .code,
      'UNAUTHORIZED'
    )
  }
  t.equal((await read(admin, 'Bearer x', '203.0.113.7')).statusCode, 401)
})

t.test('wrong access tokens within a minute are one audit entry, without the tokens', async (t) => {
  const store = memoryStore()
  const { admin } = await withLimit(t, { store })
  for (let i = 0; i < 20; i++) await read(admin, `Bearer guess-${i}`, '203.0.113.7')
  await admin.app.close()
  const { data } = await store.audit.list('default', { action: 'auth.token_refused' }, { limit: 10 })
  t.equal(data.length, 1)
  t.match(data[0], {
    ipAddress: '203.0.113.7',
    userId: null,
    changes: { token: 'access', reason: 'not a JWT that this server issues', repeats: 4 }
  })
  t.notMatch(JSON.stringify(data), 'guess-')
})

t.test('an access or refresh token of an ended session is audited under its user', async (t) => {
  const { admin, user, access_token, refresh_token } = await withLimit(t)
  const { claims } = decode(access_token)
  await admin.store.sessions.end(String(claims['sid']))
  for (let i = 0; i < 8; i++) {
    t.equal(
      (await read(admin, `Bearer ${access_token}`, '203.0.113.7')).statusCode,
      401,
      'it does not count as a guess'
    )
  }
  t.equal((await admin.refresh(refresh_token)).statusCode, 401)
  const entries = (await admin.audited('auth.token_refused', 'default', 2)).filter(({ action }) =>
    action === 'auth.token_refused'
  )
  const common = { userId: user.id, resourceType: 'session', resourceId: claims['sid'] }
  t.match(entries, [{ ...common, changes: { token: 'refresh' } }, {
    ...common,
    changes: { token: 'access', reason: 'the session has ended' }
  }])
})

t.test('a refresh token that the server did not issue is audited, and an expired refresh token is not', async (t) => {
  const { admin, refresh_token } = await withLimit(t)
  for (const path of ['refresh', 'logout']) {
    t.equal(
      (await admin.post(path, {
        refresh_token: forge({ alg: 'HS256' }, decode(refresh_token).claims, SECRET.replace('k', 'x'))
      })).statusCode,
      401
    )
  }
  await admin.audited('auth.token_refused')
  admin.clock.now += 8 * 86_400_000
  t.equal((await admin.refresh(refresh_token)).statusCode, 401)
  t.equal((await admin.post('refresh', { refresh_token: 'x' })).statusCode, 401)
  const entries = (await admin.audited('auth.token_refused', 'default', 2)).filter(({ action }) =>
    action === 'auth.token_refused'
  )
  t.match(entries.map(({ changes }) => changes), [{ token: 'refresh', reason: 'not a JWT that this server issues' }, {
    token: 'refresh',
    reason: 'signature'
  }])
  t.equal(entries.length, 2)
})
