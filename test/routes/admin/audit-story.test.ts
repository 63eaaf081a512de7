import t from 'tap'

import adminKeys from '../../../routes/admin/keys/index.js'
import adminMfa from '../../../routes/admin/mfa/index.js'
import type { TokenPair } from '../../../schemas/admin-auth.js'
import { SECRET } from '../../helpers/admin.js'
import { caller } from '../../helpers/admin-caller.js'
import { usersApp } from '../../helpers/admin-users.js'
import { totpCode, wrongCode } from '../../helpers/mfa.js'

const NEW_PASSWORD = 'violet anchors drift slowly'
const BOB = 'bob@example.com'

t.test('the audit log of an administrator, from the invitation to a revoked API key, can be read by a ' +
  'reviewer', async (t) => {
  const admin = await usersApp(t)
  const { app, clock, post, store } = admin
  const now = () => clock.now
  await app.register(adminMfa, { jwtSecrets: [SECRET], now, userRateLimit: false, tokenRateLimit: false })
  await app.register(adminKeys, { jwtSecrets: [SECRET], now, userRateLimit: false, tokenRateLimit: false })
  const owner = await caller(admin, 'owner')
  const send = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, token: string, payload?: object) =>
    app.inject({
      method,
      url: `/v1/admin/${path}`,
      headers: { authorization: `Bearer ${token}` },
      ...payload === undefined ? {} : { payload }
    })

  // The owner invites Bob, who accepts, sets up an authenticator app and logs in with it.
  await owner.send('POST', '/users/invite', { email: BOB, role: 'editor' })
  const token = await admin.tokenOf('invitation')
  const { id: bob } = (await post('/v1/admin/invitations/accept', { token, password: NEW_PASSWORD })).json()
  const first = await admin.login(BOB, NEW_PASSWORD)
  const { secret } = (await post('mfa/totp', { current_password: NEW_PASSWORD }, first.access_token)).json()
  await post('mfa/totp/confirm', { code: totpCode(secret, clock.now) }, first.access_token)
  await post('login', { email: BOB, password: 'wrong' })
  const { mfa_token: mfaToken } = (await post('login', { email: BOB, password: NEW_PASSWORD })).json()
  clock.now += 30_000
  await post('mfa/verify', { mfa_token: mfaToken, code: wrongCode(secret, clock.now) })
  const verified = await post('mfa/verify', { mfa_token: mfaToken, code: totpCode(secret, clock.now) })
  const pair = verified.json<TokenPair>()
  t.equal(verified.statusCode, 200)

  // Bob becomes admin and works with a source and a key. Then a thief uses his old refresh token.
  await owner.send('PATCH', `/users/${bob}`, { role: 'admin' })
  const { id: source } = (await send('POST', 'sources', pair.access_token, { name: 'Shop' })).json()
  t.equal((await send('POST', `sources/${source}/rotate-key`, pair.access_token)).statusCode, 200)
  t.equal((await send('DELETE', `sources/${source}`, pair.access_token)).statusCode, 204)
  const created = await send('POST', 'keys', pair.access_token, { name: 'CI', role: 'editor' })
  t.equal(created.statusCode, 201)
  const { id: keyId, key } = created.json()
  await send('POST', 'sources', key, { name: 'By the pipeline' })
  t.equal((await send('DELETE', `keys/${keyId}`, pair.access_token)).statusCode, 204)
  await admin.refresh(pair.refresh_token)
  t.equal((await admin.refresh(pair.refresh_token)).statusCode, 401)

  await admin.audited('auth.refresh_reused')
  const { data } = await store.audit.list('default', {}, { limit: 100 })
  const names = new Map([[owner.userId, 'owner'], [bob, 'bob'], [keyId, 'key CI']])
  const story = data.toReversed().map(({ action, userId, changes }) => [names.get(userId ?? ''), action, changes])
  t.match(story, [
    ['owner', 'auth.login', null],
    ['owner', 'user.invited', { email: BOB, role: 'editor' }],
    ['bob', 'user.joined', { invitation: String, role: 'editor' }],
    ['bob', 'auth.login', null],
    ['bob', 'auth.mfa_enrolled', { method: 'totp', first: true }],
    ['bob', 'auth.login_failed', { reason: 'password' }],
    ['bob', 'auth.mfa_challenged', { methods: ['totp', 'recovery_code'] }],
    ['bob', 'auth.mfa_failed', { reason: 'wrong' }],
    ['bob', 'auth.mfa_verified', { method: 'totp' }],
    ['bob', 'auth.login', { second_factor: 'totp' }],
    ['owner', 'user.updated', { role: { from: 'editor', to: 'admin' } }],
    ['bob', 'source.created', { name: 'Shop' }],
    ['bob', 'source.key_rotated', { overlap_seconds: 0 }],
    ['bob', 'source.deleted', { name: 'Shop' }],
    ['bob', 'key.created', { name: 'CI', role: 'editor', permissions: null, expires_at: null }],
    ['key CI', 'source.created', { name: 'By the pipeline' }],
    ['bob', 'key.revoked', { name: 'CI' }],
    ['bob', 'auth.refresh_reused', { reason: 'refresh_reused' }]
  ])
  t.equal(story.length, 18)
  const text = JSON.stringify(data)
  for (const own of [token, mfaToken, secret, key, pair.access_token, pair.refresh_token, NEW_PASSWORD]) {
    t.notOk(text.includes(own), 'no secret is in the audit log')
  }
  t.ok(data.every(({ ipAddress, timestamp }) => ipAddress === '127.0.0.1' && timestamp <= clock.now))
})
