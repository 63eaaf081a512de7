import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import type { NewPasskey } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const NONE = { totp: null, passkeys: [], recoveryCodes: 0 }
const CONFIRMATION = { secret: 'SECRET', step: 100, recoveryDigests: ['code-1', 'code-2'] }

function aPasskey (userId: string, fields: Partial<NewPasskey> = {}): NewPasskey {
  return {
    userId,
    credentialId: randomUUID(),
    publicKey: 'cHVibGljIGtleQ',
    counter: 0,
    transports: ['internal', 'hybrid'],
    name: 'Laptop',
    ...fields
  }
}

export async function factorContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('an authenticator app is a factor after its secret is confirmed', async () => {
    const { store, clock } = await create()
    const { factors, sessions } = store
    const { id } = await aUser(store)
    const session = aSession(id, clock)
    await sessions.start(session)
    const has = async () => (await sessions.access(session.id))?.hasFactor
    assert.deepEqual([await factors.get(id), await has()], [NONE, false])
    assert.equal(await factors.confirmTotp(id, CONFIRMATION), null, 'nothing is proposed')
    assert.equal(await factors.proposeTotp(id, 'OLDER'), true)
    assert.equal(await factors.proposeTotp(id, 'SECRET'), true)
    assert.deepEqual([await factors.proposedTotp(id), await factors.totpSecret(id)], ['SECRET', null])
    assert.deepEqual([await factors.get(id), await has()], [NONE, false])
    assert.equal(await factors.confirmTotp(id, { ...CONFIRMATION, secret: 'OLDER' }), null)
    assert.deepEqual(await factors.confirmTotp(id, CONFIRMATION), { first: true })
    assert.equal(await has(), true, 'the factor takes effect at once')
    assert.equal(await factors.confirmTotp(id, CONFIRMATION), null, 'a confirmation works once')
    assert.deepEqual([await factors.proposedTotp(id), await factors.totpSecret(id)], [null, 'SECRET'])
    const { totp, recoveryCodes } = await factors.get(id)
    assert.ok(Math.abs((totp?.confirmedAt ?? 0) - clock.now()) < 10_000)
    assert.equal(recoveryCodes, 2)
    assert.equal(await factors.removeTotp(id), true)
    assert.equal(await factors.removeTotp(id), false)
    assert.deepEqual([await factors.get(id), await has()], [NONE, false], 'the codes end with the last factor')
  })

  await t.test('a confirmed new secret replaces the previous secret and keeps the recovery codes', async () => {
    const { store } = await create()
    const { factors } = store
    const { id } = await aUser(store)
    await factors.proposeTotp(id, 'SECRET')
    await factors.confirmTotp(id, CONFIRMATION)
    await factors.takeRecoveryCode(id, 'code-1')
    await factors.proposeTotp(id, 'NEXT')
    assert.equal(await factors.totpSecret(id), 'SECRET')
    const next = { secret: 'NEXT', step: 50, recoveryDigests: ['other'] }
    assert.deepEqual(await factors.confirmTotp(id, next), { first: false })
    assert.deepEqual([await factors.totpSecret(id), (await factors.get(id)).recoveryCodes], ['NEXT', 1])
    assert.deepEqual([await factors.useTotpStep(id, 50), await factors.useTotpStep(id, 51)], [false, true])
  })

  await t.test('each time step is used once, and no earlier step is used afterwards', async () => {
    const { store } = await create()
    const { factors } = store
    const { id } = await aUser(store)
    assert.equal(await factors.useTotpStep(id, 1), false)
    await factors.proposeTotp(id, 'SECRET')
    assert.equal(await factors.useTotpStep(id, 1), false, 'the secret is not confirmed')
    await factors.confirmTotp(id, CONFIRMATION)
    assert.equal(await factors.useTotpStep(id, 100), false, 'the step of the confirmation')
    const uses = await Promise.all(Array.from({ length: 10 }, () => factors.useTotpStep(id, 101)))
    assert.equal(uses.filter(Boolean).length, 1)
    assert.deepEqual([await factors.useTotpStep(id, 100), await factors.useTotpStep(id, 103)], [false, true])
  })

  await t.test('each recovery code is used once', async () => {
    const { store } = await create()
    const { factors } = store
    const [{ id }, other] = [await aUser(store), await aUser(store)]
    assert.equal(await factors.replaceRecoveryCodes(id, ['early']), false, 'the user has no factor')
    assert.equal(await factors.takeRecoveryCode(id, 'early'), false)
    await factors.proposeTotp(id, 'SECRET')
    await factors.confirmTotp(id, CONFIRMATION)
    assert.equal(await factors.takeRecoveryCode(other.id, 'code-1'), false)
    const uses = await Promise.all(Array.from({ length: 10 }, () => factors.takeRecoveryCode(id, 'code-1')))
    assert.equal(uses.filter(Boolean).length, 1)
    assert.equal(await factors.replaceRecoveryCodes(id, ['new-1', 'new-2', 'new-3']), true)
    assert.equal(await factors.takeRecoveryCode(id, 'code-2'), false, 'the former codes are gone')
    assert.equal((await factors.get(id)).recoveryCodes, 3)
    assert.equal(await factors.takeRecoveryCode(id, 'new-3'), true)
  })

  await t.test('a passkey is a factor, is found by its credential id and belongs to one user', async () => {
    const { store, clock } = await create()
    const { factors, sessions } = store
    const [{ id }, other] = [await aUser(store), await aUser(store)]
    const session = aSession(id, clock)
    await sessions.start(session)
    const own = aPasskey(id)
    const added = await factors.addPasskey(own, ['code-1'])
    assert.ok(added !== null)
    const { passkey } = added
    assert.deepEqual(added, {
      first: true,
      passkey: { ...own, id: passkey.id, createdAt: passkey.createdAt, lastUsedAt: null }
    })
    assert.equal((await sessions.access(session.id))?.hasFactor, true)
    assert.deepEqual(await factors.findPasskey(own.credentialId), passkey)
    assert.equal(await factors.findPasskey('unknown'), null)
    await assert.rejects(factors.addPasskey(own, []), { code: 'CONFLICT' })
    await assert.rejects(factors.addPasskey({ ...own, userId: other.id }, []), { code: 'CONFLICT' })
    assert.deepEqual(await factors.get(other.id), NONE)
    const second = await factors.addPasskey(aPasskey(id, { name: 'Key' }), ['code-2', 'code-3'])
    assert.equal(second?.first, false)
    const { passkeys, recoveryCodes } = await factors.get(id)
    assert.deepEqual([passkeys.map(({ name }) => name), recoveryCodes], [['Laptop', 'Key'], 1])
    assert.equal(await factors.removePasskey(other.id, passkey.id), null, 'the passkey of another user')
    assert.deepEqual(await factors.removePasskey(id, passkey.id), passkey)
    assert.equal(await factors.removePasskey(id, passkey.id), null)
    assert.deepEqual(await factors.removePasskey(id, second?.passkey.id ?? ''), second?.passkey)
    assert.deepEqual(await factors.get(id), NONE)
    assert.equal((await sessions.access(session.id))?.hasFactor, false)
  })

  await t.test('the counter of a passkey only rises, unless the authenticator does not count', async () => {
    const { store, clock } = await create()
    const { factors } = store
    const { id } = await aUser(store)
    const [counts, never] = [aPasskey(id, { counter: 5 }), aPasskey(id)]
    for (const passkey of [counts, never]) await factors.addPasskey(passkey, [])
    const use = (counter: number) => factors.usePasskey(counts.credentialId, counter)
    assert.deepEqual([await use(5), await use(4), await use(0), await use(6)], [false, false, false, true])
    const uses = await Promise.all(Array.from({ length: 10 }, () => use(4_294_967_295)))
    assert.equal(uses.filter(Boolean).length, 1)
    const used = await factors.findPasskey(counts.credentialId)
    assert.equal(used?.counter, 4_294_967_295)
    assert.ok(Math.abs((used?.lastUsedAt ?? 0) - clock.now()) < 10_000)
    assert.equal(await factors.usePasskey(never.credentialId, 0), true)
    assert.equal(await factors.usePasskey(never.credentialId, 0), true)
    assert.equal(await factors.usePasskey(never.credentialId, 1), true)
    assert.equal(await factors.usePasskey(never.credentialId, 0), false)
    assert.equal(await factors.usePasskey('unknown', 1), false)
  })

  await t.test('an organisation that requires a second factor keeps the last factor of its members', async () => {
    const { store, clock } = await create()
    const { factors, members, organisations, sessions } = store
    const { id } = await aUser(store)
    await organisations.create({ id: 'org-b', name: 'B' })
    await members.add({ orgId: 'org-b', userId: id, role: 'viewer' })
    const session = aSession(id, clock)
    await sessions.start(session)
    const required = async () => (await sessions.access(session.id))?.mfaRequired
    await factors.proposeTotp(id, 'SECRET')
    await factors.confirmTotp(id, CONFIRMATION)
    const added = await factors.addPasskey(aPasskey(id), [])
    await organisations.update('org-b', { mfa: 'required' })
    assert.equal(await required(), false, 'the session is in another organisation')
    assert.ok(await factors.removePasskey(id, added?.passkey.id ?? ''))
    await assert.rejects(factors.removeTotp(id), { code: 'CONFLICT' })
    assert.deepEqual([await factors.totpSecret(id), (await factors.get(id)).recoveryCodes], ['SECRET', 2])
    await organisations.update('org-a', { mfa: 'required' })
    assert.equal(await required(), true, 'the policy takes effect at once')
    const results = await Promise.allSettled([factors.removeTotp(id), factors.addPasskey(aPasskey(id), [])])
    assert.equal(results[1].status, 'fulfilled')
    const left = await factors.get(id)
    assert.equal(left.totp !== null || left.passkeys.length > 0, true)
    for (const org of ['org-a', 'org-b']) await organisations.update(org, { mfa: 'optional' })
    assert.equal(await required(), false)
    assert.equal(await factors.removeAll(id), true)
    assert.deepEqual([await factors.get(id), await factors.removeAll(id)], [NONE, false])
  })

  await t.test('factors belong to existing users, and end with them', async () => {
    const { store } = await create()
    const { factors, members } = store
    assert.equal(await factors.proposeTotp('nobody', 'SECRET'), false)
    assert.equal(await factors.addPasskey(aPasskey('nobody'), []), null)
    assert.deepEqual([await factors.get('nobody'), await factors.proposedTotp('nobody')], [NONE, null])
    const { id } = await aUser(store)
    const passkey = aPasskey(id)
    await factors.proposeTotp(id, 'SECRET')
    await factors.confirmTotp(id, CONFIRMATION)
    await factors.addPasskey(passkey, [])
    await members.remove('org-a', id)
    assert.deepEqual([await factors.get(id), await factors.findPasskey(passkey.credentialId)], [NONE, null])
    assert.deepEqual([await factors.totpSecret(id), await factors.takeRecoveryCode(id, 'code-1')], [null, false])
  })

  await t.test('a user has at most 20 passkeys, with names of any characters', async () => {
    const { store } = await create()
    const { id } = await aUser(store)
    const names = AWKWARD_STRINGS.slice(0, 20)
    for (const name of names) await store.factors.addPasskey(aPasskey(id, { name, transports: [name] }), [])
    await assert.rejects(store.factors.addPasskey(aPasskey(id), []), { code: 'CONFLICT' })
    assert.deepEqual((await store.factors.get(id)).passkeys.map(({ name }) => name), names)
  })
}
