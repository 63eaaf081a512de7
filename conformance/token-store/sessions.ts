import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aSession, aUser, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function sessionContract (t: ContractTest, make: CreateStore): Promise<void> {
  await t.test('a session gives access as its user until it ends, also from the cache', async () => {
    const { store, clock } = await make()
    const { sessions } = store
    const user = await aUser(store)
    const session = aSession(user.id, clock, { endsAt: clock.now() + 100 })
    assert.equal(await sessions.access(session.id), null)
    await sessions.start(session)
    const access = await sessions.access(session.id)
    assert.deepEqual({ ...access }, {
      userId: user.id,
      orgId: 'org-a',
      email: user.email,
      role: 'admin',
      epoch: user.epoch,
      endsAt: session.endsAt,
      mfaAt: null,
      hasFactor: false,
      mfaRequired: false,
      providerId: null
    })
    assert.ok(Object.isFrozen(access))
    await atOnce(() => sessions.access(session.id))
    await clock.advance(100)
    assert.equal(await sessions.access(session.id), null)
    assert.deepEqual(await sessions.list(user.id), [])
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await sessions.end(session.id), false)
  })

  await t.test('ending a session takes effect at once on the same instance, and ending it again ' +
    'returns false', async () => {
    const { store, clock } = await make()
    const { sessions } = store
    const user = await aUser(store)
    const [one, two] = [aSession(user.id, clock), aSession(user.id, clock)]
    for (const session of [one, two]) {
      await sessions.start(session)
      await sessions.access(session.id)
    }
    assert.equal(await sessions.end(one.id), true)
    assert.equal(await sessions.end(one.id), false)
    assert.equal(await sessions.access(one.id), null)
    assert.deepEqual(
      await sessions.rotate({
        sessionId: one.id,
        presented: 'digest-1',
        next: 'digest-2',
        grace: 0,
        sealedSuccessor: null
      }),
      { outcome: 'ended' }
    )
    assert.notEqual(await sessions.access(two.id), null)
    assert.equal((await store.users.get(user.id))?.epoch, user.epoch, 'nothing else was revoked')
  })

  await t.test('the live sessions of an organisation are counted', async () => {
    const { store, clock } = await make()
    const { sessions } = store
    const user = await aUser(store)
    const [one, two] = [aSession(user.id, clock, { endsAt: clock.now() + 100 }), aSession(user.id, clock)]
    assert.equal(await sessions.count('org-a'), 0)
    for (const session of [one, two]) await sessions.start(session)
    assert.deepEqual([await sessions.count('org-a'), await sessions.count('org-b')], [2, 0])
    await clock.advance(100)
    assert.equal(await sessions.count('org-a'), 1, 'an expired session does not count')
    await sessions.end(two.id)
    assert.equal(await sessions.count('org-a'), 0)
  })

  await t.test("only the session's own user can end it", async () => {
    const { store, clock } = await make()
    const [user, other] = [await aUser(store), await aUser(store)]
    const session = aSession(user.id, clock)
    await store.sessions.start(session)
    for (const userId of [other.id, '', 'nobody', user.id.toUpperCase()]) {
      assert.equal(await store.sessions.end(session.id, userId), false)
    }
    assert.equal(await store.sessions.end('nothing'), false)
    assert.notEqual(await store.sessions.access(session.id), null)
    assert.equal(await store.sessions.end(session.id, user.id), true)
  })

  await t.test('ending all sessions of a user increments the epoch and does not affect other users', async () => {
    const { store, clock } = await make()
    const [user, other] = [await aUser(store), await aUser(store)]
    const own = [aSession(user.id, clock), aSession(user.id, clock)]
    const foreign = aSession(other.id, clock)
    for (const session of [...own, foreign]) {
      await store.sessions.start(session)
      await store.sessions.access(session.id)
    }
    await store.sessions.endAll(user.id)
    for (const { id } of own) assert.equal(await store.sessions.access(id), null)
    assert.equal((await store.sessions.access(foreign.id))?.epoch, other.epoch)
    assert.equal((await store.users.get(user.id))?.epoch, user.epoch + 1)
    assert.equal((await store.users.get(other.id))?.epoch, other.epoch)
    await store.sessions.endAll('nobody')

    const later = aSession(user.id, clock, { epoch: user.epoch + 1 })
    assert.equal(await store.sessions.start(later), true)
    assert.equal((await store.sessions.access(later.id))?.epoch, user.epoch + 1)
  })

  await t.test('replacing a password with `endSessionsBut` ends all other sessions', async () => {
    const { store, clock } = await make()
    const user = await aUser(store)
    const [kept, dropped] = [aSession(user.id, clock), aSession(user.id, clock)]
    for (const session of [kept, dropped]) {
      await store.sessions.start(session)
      await store.sessions.access(session.id)
    }
    await store.users.replacePassword(user.id, { from: user.passwordHash, to: 'stronger', endSessionsBut: kept.id })
    assert.equal((await store.sessions.access(kept.id))?.epoch, user.epoch)
    assert.equal(await store.sessions.access(dropped.id), null)
    assert.equal(
      (await store.sessions.rotate({
        sessionId: kept.id,
        presented: 'digest-1',
        next: 'digest-2',
        grace: 0,
        sealedSuccessor: null
      })).outcome,
      'rotated'
    )
    assert.deepEqual((await store.sessions.list(user.id)).map(({ id }) => id), [kept.id])
  })

  await t.test('a look-up in flight while its session ends does not restore it', async () => {
    const { store, clock } = await make()
    const user = await aUser(store)
    for (let round = 0; round < 20; round++) {
      const session = aSession(user.id, clock, { epoch: (await store.users.get(user.id))?.epoch ?? -1 })
      assert.equal(await store.sessions.start(session), true)
      const ending = round % 2 === 0 ? store.sessions.end(session.id) : store.sessions.endAll(user.id)
      await Promise.all([store.sessions.access(session.id), ending, store.sessions.access(session.id)])
      assert.equal(await store.sessions.access(session.id), null)
    }
  })

  await t.test('a list contains the live sessions of one user, newest first, without their tokens', async () => {
    const { store, clock } = await make()
    const [user, other] = [await aUser(store), await aUser(store)]
    const started = []
    for (let at = 0; at < 4; at++) {
      const session = aSession(user.id, clock, { refreshDigest: `secret-digest-${at}`, ip: `203.0.113.${at}` })
      await store.sessions.start(session)
      started.unshift(session)
      if (at % 2 === 0) await clock.advance(2)
    }
    await store.sessions.start(aSession(other.id, clock))
    const list = await store.sessions.list(user.id)
    assert.deepEqual(
      list.map(({ id, ip, endsAt }) => [id, ip, endsAt]),
      started.map(({ id, ip, endsAt }) => [id, ip, endsAt])
    )
    assert.deepEqual(Object.keys(list[0] ?? {}).sort(), ['createdAt', 'endsAt', 'id', 'ip', 'lastUsedAt', 'orgId',
      'userAgent', 'userId'])
    assert.ok(!JSON.stringify(list).includes('secret-digest'))
    assert.deepEqual(await store.sessions.list('nobody'), [])
  })

  await t.test('a list contains at most the newest 100 sessions', async () => {
    const { store, clock } = await make()
    const user = await aUser(store)
    const ids: string[] = []
    for (let at = 0; at < 103; at++) {
      const session = aSession(user.id, clock)
      await store.sessions.start(session)
      ids.unshift(session.id)
    }
    assert.deepEqual((await store.sessions.list(user.id)).map(({ id }) => id), ids.slice(0, 100))
    await store.sessions.end(ids[0] ?? '')
    assert.deepEqual(
      (await store.sessions.list(user.id)).map(({ id }) => id),
      ids.slice(1, 101),
      'an older session moves up'
    )
  })

  await t.test('no session starts if the user was deleted, disabled or logged out everywhere since the ' +
    'login began', async () => {
    const { store, clock } = await make()
    const [user, off] = [await aUser(store), await aUser(store)]
    await store.sessions.endAll(user.id)
    await store.members.update('org-a', off.id, { disabled: true })
    const stale = [aSession('nobody', clock), aSession(user.id, clock, { epoch: user.epoch }),
      aSession(off.id, clock)]
    for (const session of stale) {
      assert.equal(await store.sessions.start(session), false)
      assert.equal(await store.sessions.access(session.id), null)
    }
    await store.members.update('org-a', off.id, { disabled: false })
    for (const { id } of [user, off]) assert.deepEqual(await store.sessions.list(id), [])
  })

  await t.test('ending the other sessions keeps one session and does not affect other users', async () => {
    const { store, clock } = await make()
    const [user, other] = [await aUser(store), await aUser(store)]
    const [kept, ...ended] = [aSession(user.id, clock), aSession(user.id, clock), aSession(user.id, clock)]
    const foreign = aSession(other.id, clock)
    for (const session of [kept, ...ended, foreign]) {
      await store.sessions.start(session)
      await store.sessions.access(session.id)
    }
    assert.equal(await store.sessions.endOthers(user.id, kept.id), 2)
    assert.equal(await store.sessions.endOthers(user.id, kept.id), 0)
    for (const { id } of ended) assert.equal(await store.sessions.access(id), null)
    for (const { id } of [kept, foreign]) assert.notEqual(await store.sessions.access(id), null)
    assert.equal((await store.users.get(user.id))?.epoch, user.epoch)
  })

  await t.test('a confirmed second factor is in the access data at once', async () => {
    const { store, clock } = await make()
    const user = await aUser(store)
    const [session, proven] = [aSession(user.id, clock), aSession(user.id, clock, { mfaAt: clock.now() - 5 })]
    for (const own of [session, proven]) await store.sessions.start(own)
    assert.equal((await store.sessions.access(session.id))?.mfaAt, null)
    assert.equal((await store.sessions.access(proven.id))?.mfaAt, proven.mfaAt)
    const at = clock.now()
    assert.equal(await store.sessions.confirm(session.id, at), true)
    assert.equal((await store.sessions.access(session.id))?.mfaAt, at)
    assert.equal((await store.sessions.access(proven.id))?.mfaAt, proven.mfaAt)
    assert.equal(await store.sessions.confirm('nothing', at), false)
    await store.sessions.end(session.id)
    assert.equal(await store.sessions.confirm(session.id, at), false)
  })

  await t.test('a session with a taken id is a conflict', async () => {
    const { store, clock } = await make()
    const user = await aUser(store)
    const session = aSession(user.id, clock)
    await store.sessions.start(session)
    await assert.rejects(store.sessions.start({ ...session, refreshDigest: 'stolen' }), { code: 'CONFLICT' })
    assert.equal(
      (await store.sessions.rotate({
        sessionId: session.id,
        presented: 'digest-1',
        next: 'x',
        grace: 0,
        sealedSuccessor: null
      })).outcome,
      'rotated'
    )
  })

  await t.test('unusual strings are read back unchanged', async () => {
    const { store, clock } = await make()
    for (const text of AWKWARD_STRINGS) {
      const user = await aUser(store)
      await store.sessions.start(aSession(user.id, clock, { id: `id ${text}`, userAgent: text, ip: text }))
      assert.deepEqual((await store.sessions.list(user.id)).map(({ id, userAgent, ip }) => [id, userAgent, ip]), [[
        `id ${text}`,
        text,
        text
      ]])
      assert.equal((await store.sessions.access(`id ${text}`))?.userId, user.id)
    }
  })
}
