import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import type { Invitation, Role, TokenStore, User } from '../../contracts/token-store/index.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aUser, allPages } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const DAY = 86_400_000

/** Returns an invitation to create. Its sender is an administrator of `org-a`. */
function anInvitation (
  sender: Pick<User, 'id'>,
  clock: ContractClock,
  fields: Partial<Pick<Invitation, 'orgId' | 'email' | 'role' | 'expiresAt'>> & { digest?: string } = {}
) {
  const email = `${randomUUID()}@example.com`
  const role: Role = 'viewer'
  return {
    orgId: 'org-a',
    email,
    role,
    invitedBy: sender.id,
    digest: randomUUID(),
    expiresAt: clock.now() + DAY,
    ...fields
  }
}

export async function invitationContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithSender () {
    const { store, clock } = await create()
    return { store, clock, sender: await aUser(store) }
  }

  await t.test('an invitation is read as it was created, only in its organisation', async () => {
    const { store, clock, sender } = await createWithSender()
    const { digest, ...fresh } = anInvitation(sender, clock, { email: 'Ann@Example.com', role: 'admin' })
    const created = await store.invitations.create({ ...fresh, digest })
    const { id, createdAt } = created
    assert.deepEqual(created, { ...fresh, id, email: 'ann@example.com', createdAt })
    assert.deepEqual(await store.invitations.get('org-a', id), created)
    assert.deepEqual(await store.invitations.find(digest), { invitation: created, orgName: 'org-a', userId: null })
    for (const [orgId, other] of [['org-b', id], ['org-a', 'nothing']] as const) {
      const link = { invitedBy: sender.id, digest: 'other', expiresAt: fresh.expiresAt }
      assert.equal(await store.invitations.get(orgId, other), null)
      assert.equal(await store.invitations.renew(orgId, other, link), null)
      assert.equal(await store.invitations.delete(orgId, other), null)
    }
    assert.equal(await store.invitations.find('other'), null)
    assert.deepEqual((await store.invitations.list('org-b', { limit: 10 })).data, [])
    await assert.rejects(store.invitations.create(anInvitation(sender, clock, { orgId: 'nothing' })), {
      code: 'CONFLICT'
    })
  })

  await t.test('the invitations of one organisation are listed newest first, page by page', async () => {
    const { store, clock, sender } = await createWithSender()
    const created: string[] = []
    for (let at = 0; at < 5; at++) {
      created.unshift((await store.invitations.create(anInvitation(sender, clock))).id)
      if (at % 2 === 0) await clock.advance(2)
    }
    const pages = await allPages((page) => store.invitations.list('org-a', page), 2)
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [
      created.slice(0, 2),
      created.slice(2, 4),
      created.slice(4)
    ])
    assert.ok(!JSON.stringify(pages).includes('digest'))
  })

  await t.test('an accepted invitation creates one account for a new email', async () => {
    const { store, clock, sender } = await createWithSender()
    const { digest, email } = anInvitation(sender, clock)
    const { id } = await store.invitations.create(anInvitation(sender, clock, { digest, email, role: 'editor' }))
    const member = await store.invitations.accept(digest, { passwordHash: 'hash' })
    const user = await store.users.findByEmail(email)
    assert.deepEqual([user?.orgId, user?.role, user?.passwordHash, user?.epoch], ['org-a', 'editor', 'hash', 0])
    assert.deepEqual(member, await store.members.get('org-a', user?.id ?? ''))
    assert.equal(await store.invitations.accept(digest, { passwordHash: 'other' }), null)
    assert.equal(await store.invitations.accept(digest, { userId: user?.id ?? '' }), null)
    assert.equal(await store.invitations.find(digest), null)
    assert.equal(await store.invitations.get('org-a', id), null)
    assert.deepEqual(await store.users.findByEmail(email), user)
  })

  await t.test('an accepted invitation adds an existing account as a member, and only the account with ' +
    'the email', async () => {
    const { store, clock, sender } = await createWithSender()
    const user = await store.users.create({
      orgId: 'org-b', email: 'bob@example.com', passwordHash: 'hash', role: 'owner'
    })
    const invitation = anInvitation(sender, clock, { email: 'Bob@example.com' })
    await store.invitations.create(invitation)
    assert.equal((await store.invitations.find(invitation.digest))?.userId, user.id)
    await assert.rejects(store.invitations.accept(invitation.digest, { passwordHash: 'other' }), { code: 'CONFLICT' })
    for (const userId of [sender.id, 'nobody']) {
      assert.equal(await store.invitations.accept(invitation.digest, { userId }), null)
    }
    const member = await store.invitations.accept(invitation.digest, { userId: user.id })
    assert.deepEqual([member?.orgId, member?.userId, member?.role], ['org-a', user.id, 'viewer'])
    assert.deepEqual(await store.users.get(user.id, 'org-b'), user)
    assert.equal((await store.members.ofUser(user.id)).length, 2)
  })

  await t.test('exactly one of many concurrent acceptances succeeds', async () => {
    const { store, clock, sender } = await createWithSender()
    const invitation = anInvitation(sender, clock)
    await store.invitations.create(invitation)
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) =>
        store.invitations.accept(invitation.digest, { passwordHash: `hash-${at}` }))
    )
    const members = results.filter((result) => result.status === 'fulfilled' && result.value !== null)
    assert.equal(members.length, 1)
    assert.equal(await store.users.count(), 2)
    assert.equal((await store.members.list('org-a', { limit: 10 })).data.length, 2)
  })

  await t.test('a new invitation of an email and a renewed link end the previous link', async () => {
    const { store, clock, sender } = await createWithSender()
    const { invitations } = store
    const first = anInvitation(sender, clock, { email: 'ann@example.com' })
    const elsewhere = await store.users.create({
      orgId: 'org-b', email: 'bob@example.com', passwordHash: 'hash', role: 'owner'
    })
    const other = anInvitation(elsewhere, clock, { orgId: 'org-b', email: 'ann@example.com' })
    await invitations.create(first)
    await invitations.create(other)
    const second = await invitations.create(
      anInvitation(sender, clock, { email: 'ANN@example.com', role: 'admin', digest: 'second' })
    )
    assert.equal(await invitations.find(first.digest), null)
    assert.deepEqual((await invitations.list('org-a', { limit: 10 })).data, [second])
    const link = { invitedBy: sender.id, digest: 'third', expiresAt: clock.now() + 2 * DAY }
    const renewed = await invitations.renew('org-a', second.id, link)
    assert.deepEqual(renewed, { ...second, expiresAt: link.expiresAt })
    assert.equal(await invitations.find('second'), null)
    assert.deepEqual((await invitations.find('third'))?.invitation, renewed)
    assert.notEqual(await invitations.find(other.digest), null)
    assert.deepEqual(await invitations.delete('org-a', second.id), renewed)
    assert.equal(await invitations.accept('third', { passwordHash: 'hash' }), null)
    assert.equal(await invitations.delete('org-a', second.id), null)
  })

  await t.test('an invitation of a role that is not replaceable is not replaced, unless it has expired', async () => {
    const { store, clock } = await create()
    const { invitations, users } = store
    const sender = await users.create({
      orgId: 'org-a', email: 'owner@example.com', passwordHash: 'hash', role: 'owner'
    })
    const first = anInvitation(sender, clock, { role: 'owner', expiresAt: clock.now() + 1_000 })
    await invitations.create(first)
    const other = { ...anInvitation(sender, clock, { email: first.email }) }
    const below = ['admin', 'editor', 'viewer'] as const
    await assert.rejects(invitations.create(other, below), { code: 'FORBIDDEN' })
    assert.equal((await invitations.find(first.digest))?.invitation.role, 'owner')
    await clock.advance(1_000)
    assert.equal((await invitations.create(other, below)).role, 'viewer')
    assert.equal((await invitations.create({ ...other, digest: 'next' }, ['viewer'])).role, 'viewer')
  })

  await t.test('an expired invitation does not exist and does not count', async () => {
    const { store, clock, sender } = await createWithSender()
    const { invitations } = store
    await store.organisations.update('org-a', { maxUsers: 2 })
    const expired = anInvitation(sender, clock, { expiresAt: clock.now() + 1_000 })
    const { id } = await invitations.create(expired)
    await clock.advance(1_000)
    const link = { invitedBy: sender.id, digest: 'other', expiresAt: clock.now() + DAY }
    assert.equal(await invitations.get('org-a', id), null)
    assert.equal(await invitations.find(expired.digest), null)
    assert.equal(await invitations.renew('org-a', id, link), null)
    assert.equal(await invitations.delete('org-a', id), null)
    assert.equal(await invitations.accept(expired.digest, { passwordHash: 'hash' }), null)
    assert.deepEqual((await invitations.list('org-a', { limit: 10 })).data, [])
    const again = await invitations.create(anInvitation(sender, clock, { email: expired.email }))
    await store.sweep({ auditRetention: DAY })
    assert.deepEqual((await invitations.list('org-a', { limit: 10 })).data, [again])
  })

  await t.test('members and open invitations together do not exceed the limit of the organisation', async () => {
    const { store, clock, sender } = await createWithSender()
    const { invitations, organisations } = store
    await organisations.update('org-a', { maxUsers: 3 })
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => invitations.create(anInvitation(sender, clock)))
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2)
    const [open] = (await invitations.list('org-a', { limit: 10 })).data
    assert.ok(open !== undefined)
    const replaced = anInvitation(sender, clock, { email: open.email })
    await invitations.create(replaced)
    const full = { code: 'CONFLICT', message: 'The organisation may have no more users (at most 3)' }
    await assert.rejects(invitations.create(anInvitation(sender, clock)), full)
    await organisations.update('org-a', { maxUsers: 1 })
    const tooMany = { ...full, message: 'The organisation may have no more users (at most 1)' }
    await assert.rejects(invitations.accept(replaced.digest, { passwordHash: 'hash' }), tooMany)
    assert.equal(await store.users.count(), 1)
    await organisations.update('org-a', { maxUsers: 2 })
    assert.notEqual(await invitations.accept(replaced.digest, { passwordHash: 'hash' }), null)
  })

  await t.test('a member is not invited', async () => {
    const { store, clock, sender } = await createWithSender()
    const email = sender.email.toUpperCase()
    await assert.rejects(store.invitations.create(anInvitation(sender, clock, { email })), { code: 'CONFLICT' })
    const invitation = anInvitation(sender, clock)
    await store.invitations.create(invitation)
    const user = await aUser(store, invitation.email)
    await assert.rejects(store.invitations.accept(invitation.digest, { userId: user.id }), { code: 'CONFLICT' })
  })

  await t.test('an invitation is valid while its sender is allowed to give the role', async () => {
    const { store, clock, sender } = await createWithSender()
    const { invitations, members } = store
    await aUser(store)
    const invitation = anInvitation(sender, clock, { role: 'editor' })
    const { id } = await invitations.create(invitation)
    const isValid = async () => await invitations.find(invitation.digest) !== null
    const states: Array<[change: { role?: Role, disabled?: boolean }, valid: boolean]> = [
      [{ role: 'editor' }, true],
      [{ role: 'viewer' }, false],
      [{ role: 'admin' }, true],
      [{ disabled: true }, false],
      [{ disabled: false }, true]
    ]
    for (const [change, valid] of states) {
      await members.update('org-a', sender.id, change)
      assert.equal(await isValid(), valid, JSON.stringify(change))
    }
    await members.remove('org-a', sender.id)
    assert.equal(await isValid(), false)
    assert.equal(await invitations.accept(invitation.digest, { passwordHash: 'hash' }), null)
    const another = await aUser(store)
    const link = { invitedBy: another.id, digest: invitation.digest, expiresAt: invitation.expiresAt }
    assert.equal((await invitations.renew('org-a', id, link))?.invitedBy, another.id)
    assert.equal(await isValid(), true)
  })

  await t.test('unusual strings are valid emails and digests of invitations', async () => {
    const { store, clock, sender } = await createWithSender()
    for (const text of AWKWARD_STRINGS.filter((text) => text === text.toLowerCase())) {
      await inviteAndRead(store, { ...anInvitation(sender, clock), email: text, digest: text })
    }
  })
}

async function inviteAndRead (store: TokenStore, invitation: ReturnType<typeof anInvitation>): Promise<void> {
  await store.invitations.create(invitation)
  assert.equal((await store.invitations.find(invitation.digest))?.invitation.email, invitation.email)
}
