import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aDigest, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const NO_HINT = { providerSession: null, sealedHint: null, loginAt: Number.MAX_SAFE_INTEGER / 2 }

export async function ssoSessionContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a session keeps the login at the identity provider that started it', async () => {
    const { store: { sessions, ...store }, clock } = await create()
    const user = await aUser({ sessions, ...store })
    const sso = { providerId: 'idp_1', subject: 's', providerSession: 'p', sealedHint: 'sealed' }
    await sessions.start(aSession(user.id, clock, { id: 'one', sso: { ...sso, loginAt: clock.now() } }))
    await sessions.start(aSession(user.id, clock, { id: 'two' }))
    assert.deepEqual(await sessions.ssoOf('one'), sso)
    assert.equal((await sessions.access('one'))?.providerId, 'idp_1')
    assert.equal(await sessions.ssoOf('two'), null)
    assert.equal((await sessions.access('two'))?.providerId, null)
    await sessions.end('one')
    assert.equal(await sessions.ssoOf('one'), null)
  })

  await t.test('the first factor unsets the second factor that providers have checked, and a later one does not', async () => {
    const { store, clock } = await create()
    const { factors, sessions } = store
    const [ann, bob] = [await aUser(store), await aUser(store)]
    const mfaAt = clock.now()
    for (const { id } of [ann, bob]) {
      const sso = { providerId: 'idp_1', subject: id, ...NO_HINT }
      await sessions.start(aSession(id, clock, { id: `${id}-sso`, mfaAt, sso }))
      await sessions.start(aSession(id, clock, { id: `${id}-password`, mfaAt }))
    }
    const times = async () => {
      const ids = [`${ann.id}-sso`, `${ann.id}-password`, `${bob.id}-sso`]
      return (await Promise.all(ids.map((id) => sessions.access(id)))).map((access) => access?.mfaAt)
    }
    await factors.proposeTotp(ann.id, 'SECRET')
    assert.deepEqual(await times(), [mfaAt, mfaAt, mfaAt])
    await factors.confirmTotp(ann.id, { secret: 'SECRET', step: 100, recoveryDigests: ['code'] })
    assert.deepEqual(await times(), [null, mfaAt, mfaAt])
    await sessions.confirm(`${ann.id}-sso`, mfaAt)
    await factors.proposeTotp(ann.id, 'LATER')
    await factors.confirmTotp(ann.id, { secret: 'LATER', step: 100, recoveryDigests: ['code'] })
    assert.deepEqual(await times(), [mfaAt, mfaAt, mfaAt])
  })

  await t.test('a provider ends the sessions of a subject, or of one of its sessions, at once', async () => {
    const { store, clock } = await create()
    const { sessions } = store
    const [ann, bob] = [await aUser(store), await aUser(store)]
    const start = async (id: string, userId: string, fields: object) => {
      const sso = { providerId: 'idp_1', subject: userId, ...NO_HINT, ...fields }
      await sessions.start(aSession(userId, clock, { id, sso }))
      await sessions.access(id)
    }
    await start('ann-1', ann.id, { providerSession: 'p-1' })
    await start('ann-2', ann.id, { providerSession: 'p-2' })
    await start('bob-1', bob.id, { providerSession: 'p-1' })
    await start('ann-other', ann.id, { providerId: 'idp_2', providerSession: 'p-1' })
    await sessions.start(aSession(ann.id, clock, { id: 'password' }))
    const live = async () => {
      const ids = ['ann-1', 'ann-2', 'bob-1', 'ann-other', 'password']
      const found = await Promise.all(ids.map((id) => sessions.access(id)))
      return ids.filter((_id, at) => found[at] !== null)
    }
    assert.deepEqual(await sessions.endSso('idp_1', {}), [])
    assert.deepEqual(await sessions.endSso('idp_1', { subject: bob.id, providerSession: 'p-2' }), [])
    assert.deepEqual(await sessions.endSso('idp_1', { subject: ann.id, providerSession: 'p-1' }), [
      { id: 'ann-1', userId: ann.id, orgId: 'org-a', email: ann.email }
    ])
    assert.deepEqual(await live(), ['ann-2', 'bob-1', 'ann-other', 'password'])
    assert.deepEqual((await sessions.endSso('idp_1', { providerSession: 'p-1' })).map(({ id }) => id), ['bob-1'])
    assert.deepEqual((await sessions.endSso('idp_1', { subject: ann.id })).map(({ id }) => id), ['ann-2'])
    assert.deepEqual(await live(), ['ann-other', 'password'])
    assert.deepEqual(await sessions.endSso('idp_1', { subject: ann.id }), [])
  })

  await t.test('unusual subjects and provider sessions end exactly their session', async () => {
    const { store, clock } = await create()
    const user = await aUser(store)
    for (const [at, text] of AWKWARD_STRINGS.entries()) {
      const sso = { providerId: 'idp_1', subject: text, providerSession: text, sealedHint: text }
      const started = { ...sso, loginAt: clock.now() }
      await store.sessions.start(aSession(user.id, clock, { id: `session-${at}`, sso: started }))
      assert.deepEqual(await store.sessions.ssoOf(`session-${at}`), sso)
    }
    for (const [at, text] of AWKWARD_STRINGS.entries()) {
      const by = at % 2 === 0 ? { subject: text } : { providerSession: text }
      assert.deepEqual((await store.sessions.endSso('idp_1', by)).map(({ id }) => id), [`session-${at}`])
    }
  })

  await t.test('a login before a logout at the provider starts no session, and a later login does', async () => {
    const { store, clock } = await create()
    const user = await aUser(store)
    const start = (id: string, fields: object = {}) => {
      const sso = { providerId: 'idp_1', subject: 's', providerSession: 'p', sealedHint: null, loginAt: clock.now() }
      return store.sessions.start(aSession(user.id, clock, { id, sso: { ...sso, ...fields } }))
    }
    const loginAt = clock.now()
    await clock.advance(5)
    await store.sessions.endSso('idp_1', { providerSession: 'p' })
    assert.equal(await start('early', { loginAt }), false)
    assert.equal(await store.sessions.access('early'), null)
    assert.ok(await start('other-session', { loginAt, providerSession: 'q' }))
    assert.ok(await start('no-session', { loginAt, providerSession: null }))
    assert.ok(await start('other-provider', { loginAt, providerId: 'idp_2' }))
    await clock.advance(5)
    assert.ok(await start('late'))
    const before = clock.now()
    await clock.advance(5)
    await store.sessions.endSso('idp_1', { subject: 's' })
    assert.equal(await start('subject', { loginAt: before, providerSession: null }), false)
    assert.ok(await start('other-subject', { loginAt: before, subject: 't' }))
  })

  await t.test('of a login and a concurrent logout at the provider no session remains', async () => {
    const { store, clock } = await create()
    const user = await aUser(store)
    for (let round = 0; round < 20; round++) {
      const sso = { providerId: 'idp_1', subject: `s-${round}`, ...NO_HINT, loginAt: clock.now() }
      const start = () => store.sessions.start(aSession(user.id, clock, { id: `session-${round}`, sso }))
      const end = () => store.sessions.endSso('idp_1', { subject: sso.subject })
      await Promise.all(round % 2 === 0 ? [start(), end()] : [end(), start()])
      assert.equal(await store.sessions.access(`session-${round}`), null)
    }
  })

  await t.test('a finished login is taken once, also by concurrent calls, and not after its end', async () => {
    const { store, clock } = await create()
    const [one, late, swept] = [aDigest(), aDigest(), aDigest()]
    for (const digest of [one, late, swept]) {
      await store.ssoLogins.put({ digest, sealed: `sealed ${digest}`, expiresAt: clock.now() + 100 })
    }
    assert.equal(await store.ssoLogins.take(aDigest()), null)
    const taken = await Promise.all(Array.from({ length: 5 }, () => store.ssoLogins.take(one)))
    assert.deepEqual(taken.filter((sealed) => sealed !== null), [`sealed ${one}`])
    assert.equal(await store.ssoLogins.take(one), null)
    await clock.advance(100)
    assert.equal(await store.ssoLogins.take(late), null)
    await store.sweep({ auditRetention: 1 })
    assert.equal(await store.ssoLogins.take(swept), null)
  })
}
