import t from 'tap'

import { UNAVAILABLE } from '../../../../lib/errors.js'
import tokenStore from '../../../../plugins/token-store/index.js'
import type { RevocationKind } from '../../../../plugins/token-store/index.js'
import type { GuestTokenGrant } from '../../../../routes/databrain/guest-token/index.js'
import { signUserReference } from '../../../../signing/user-reference.js'
import { auditEntries } from '../../../helpers/audit-entries.js'
import { backend } from '../../../helpers/backend.js'
import { guestTokenApp, PATH, PROXY_KEY, REFERENCE_KEY, tokenOf } from '../../../helpers/guest-token.js'
import type { GuestTokenApp } from '../../../helpers/guest-token.js'
import { reply } from '../../../helpers/stub-upstream.js'

const LONG_AGO = 1_700_000_000_000
const headers = { authorization: `Bearer ${PROXY_KEY}` }

function revoke ({ app }: GuestTokenApp, kind: RevocationKind, subject: string, before: number) {
  return app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy: null })
}

async function statusAt (made: GuestTokenApp, sub: string, iat: number): Promise<number> {
  const reference = signUserReference({ sub }, { key: REFERENCE_KEY, audience: 'gatehouse-embed', now: iat })
  const response = await made.app.inject({ url: `${PATH}?ref=${reference}`, headers })
  if (response.statusCode !== 200) {
    t.same(response.json(), { error: { code: 'FORBIDDEN', message: 'This is not allowed' } })
  }
  return response.statusCode
}

t.test('a reference of a revoked user from before the revocation is 403 although cached, and a later reference is ' +
  'valid', async (t) => {
  const made = await guestTokenApp(t)
  const cutoff = Date.now() - 1_000
  const old = cutoff - 60_000
  t.equal(await statusAt(made, 'ann', old), 200)
  await revoke(made, 'user', 'ann', cutoff)
  t.same([await statusAt(made, 'ann', old), await statusAt(made, 'ann', cutoff - 1)], [403, 403])
  t.equal(made.databrain.calls.length, 1)
  t.equal(await statusAt(made, 'ann', cutoff), 200)
  t.equal(await statusAt(made, 'bob', old), 200, 'another user')
})

t.test('a revocation with a later time refuses every reference until then', async (t) => {
  const made = await guestTokenApp(t)
  await revoke(made, 'user', 'ann', Date.now() + 60_000)
  t.equal(await statusAt(made, 'ann', Date.now()), 403)
  t.equal(made.databrain.connections(), 0)
})

t.test('a revocation applies to the user and tenant from authorize and to the subject of the reference, by issue ' +
  'time', async (t) => {
  const cutoff = Date.now() - 1_000
  const grant: GuestTokenGrant = { clientId: 'acme-rows' }
  const cases: Array<[kind: RevocationKind, subject: string, more: Partial<GuestTokenGrant>, status: number]> = [
    ['user', 'ann', {}, 200],
    ['user', 'ann', { issuedAt: cutoff - 1 }, 403],
    ['user', 'ann', { issuedAt: cutoff }, 200],
    ['user', 'ann', { userId: 'bob', issuedAt: LONG_AGO }, 403],
    ['user', 'ann', { userId: 'bob', issuedAt: cutoff }, 200],
    ['user', 'bob', { userId: 'bob', issuedAt: LONG_AGO }, 403],
    ['user', 'acme-rows', { issuedAt: LONG_AGO }, 200],
    ['tenant', 'acme-rows', { issuedAt: LONG_AGO }, 403],
    ['tenant', 'acme-rows', { tenant: 'acme', issuedAt: LONG_AGO }, 200],
    ['tenant', 'acme', { tenant: 'acme', issuedAt: LONG_AGO }, 403],
    ['tenant', 'ann', { issuedAt: LONG_AGO }, 200],
    ['dashboard', 'acme-rows', { issuedAt: LONG_AGO }, 200]
  ]
  for (const [kind, subject, more, status] of cases) {
    const { store } = await backend(t)
    const made = await guestTokenApp(
      t,
      { authorize: () => ({ ...grant, ...more }) },
      {},
      (app) => app.register(tokenStore, { store })
    )
    await revoke(made, kind, subject, cutoff)
    t.equal((await made.ask('ann')).statusCode, status, JSON.stringify([kind, subject, more]))
  }
})

t.test('without a reference and issuedAt the user is the client id, and counts as issued now', async (t) => {
  const made = await guestTokenApp(t, { authorize: () => ({ clientId: 'ann' }) })
  await revoke(made, 'user', 'ann', Date.now() - 1_000)
  t.equal((await made.ask('ann', { url: PATH })).statusCode, 200)
  await revoke(made, 'user', 'ann', Date.now() + 60_000)
  t.equal((await made.ask('ann', { url: PATH })).statusCode, 403)
})

t.test('a token whose user is revoked while the token is minted is not returned', async (t) => {
  const made = await guestTokenApp(t)
  made.databrain.answer = async (call, response) => {
    await revoke(made, 'user', 'ann', Date.now() + 1_000)
    await reply({ token: tokenOf('ann') })(call, response)
  }
  const response = await made.ask('ann')
  t.equal(response.statusCode, 403)
  const [entry] = await auditEntries(made.app, 1)
  t.match(entry, { action: 'guest_token.refused', userId: 'ann', resourceId: null, changes: { outcome: 'FORBIDDEN' } })
})

t.test('a store that fails to read revocations is 503, and no token is minted', async (t) => {
  const { store } = await backend(t)
  const cutoffs = async (): Promise<number[]> => {
    throw new UNAVAILABLE()
  }
  const revocations = Object.assign(Object.create(store.revocations) as typeof store.revocations, { cutoffs })
  const { ask, databrain } = await guestTokenApp(
    t,
    {},
    {},
    (app) => app.register(tokenStore, { store: { ...store, revocations, close: () => store.close() } })
  )
  const response = await ask('ann')
  t.equal(response.statusCode, 503)
  t.equal(response.json().error.code, 'UNAVAILABLE')
  t.equal(databrain.connections(), 0)
})

t.test('userId, tenant and issuedAt neither reach DataBrain nor change the token', async (t) => {
  const grants: GuestTokenGrant[] = [
    { clientId: 'acme' },
    { clientId: 'acme', userId: 'u53r', tenant: 't3nant', issuedAt: 1_700_000_000_001 },
    { clientId: 'acme', userId: 'other', issuedAt: LONG_AGO }
  ]
  let grant = grants[0]
  const { app, databrain, ask } = await guestTokenApp(t, { authorize: () => grant })
  const tokens = new Set<string>()
  for (grant of grants) tokens.add((await ask('ann')).json().token)
  t.equal(tokens.size, 1)
  t.equal(databrain.calls.length, 1)
  t.notMatch(databrain.rawBytes(), /u53r|t3nant|1700000000001|userId|issuedAt/)
  const entries = await auditEntries(app, 3)
  t.same(entries.map(({ userId, changes }) => [userId, changes?.clientId]), [['ann', 'acme'], ['u53r', 'acme'], [
    'other',
    'acme'
  ]])
})

t.test('users of one client id have separate limits', async (t) => {
  const { ask } = await guestTokenApp(t, {
    userRateLimit: { max: 1 },
    authorize: ({ userReference }) => ({ clientId: 'acme', userId: userReference?.sub })
  })
  t.same([(await ask('ann')).statusCode, (await ask('bob')).statusCode, (await ask('ann')).statusCode], [200, 200, 429])
})

t.test('an invalid user, tenant or time from authorize is 500', async (t) => {
  const bad: object[] = [
    { userId: '' },
    { userId: 7 },
    { userId: null },
    { userId: 'a'.repeat(257) },
    { tenant: '' },
    { tenant: ['a'] },
    { tenant: 'a'.repeat(257) },
    { issuedAt: -1 },
    { issuedAt: 0 },
    { issuedAt: 1_700_000_000 },
    { issuedAt: NaN },
    { issuedAt: '2026-01-01' },
    { issuedAt: new Date() },
    { issuedAt: null }
  ]
  let more: object = {}
  const { databrain, ask } = await guestTokenApp(t, { authorize: () => ({ clientId: 'ann', ...more }) })
  for (more of bad) t.equal((await ask('ann')).statusCode, 500, JSON.stringify(more))
  t.equal(databrain.connections(), 0)
  for (
    more of [{ userId: 'a'.repeat(256) }, { tenant: 'x' }, { issuedAt: LONG_AGO }, {
      userId: undefined,
      tenant: undefined,
      issuedAt: undefined
    }]
  ) {
    t.equal((await ask('ann')).statusCode, 200, JSON.stringify(more))
  }
})
