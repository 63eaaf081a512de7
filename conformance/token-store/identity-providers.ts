import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, allPages, aProvider, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function identityProviderContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithOrganisations () {
    const { store, clock } = await create()
    for (const id of ['org-a', 'org-b']) await store.organisations.create({ id, name: id })
    return { store, clock, providers: store.identityProviders }
  }

  await t.test('an identity provider is read as it was created, and its secret only by resolve', async () => {
    const { providers, clock } = await createWithOrganisations()
    for (const kind of ['oidc', 'saml'] as const) {
      const { quota: _quota, ...fresh } = aProvider({ kind })
      const provider = await providers.create({ ...fresh, secret: 'client-secret' })
      assert.match(provider.id, /^idp_[0-9A-Za-z]{24}$/)
      assert.ok(Math.abs(provider.createdAt - clock.now()) < 10_000)
      const { id, createdAt } = provider
      assert.deepEqual(provider, { ...fresh, id, createdAt, updatedAt: createdAt })
      assert.deepEqual(await providers.get('org-a', id), provider)
      assert.deepEqual(await providers.resolve(id), { ...provider, secrets: ['client-secret'] })
    }
    const { id } = await providers.create(aProvider())
    assert.deepEqual((await providers.resolve(id))?.secrets, [])
    for (const unknown of ['', 'idp_', '\u0000', id.toLowerCase()]) assert.equal(await providers.resolve(unknown), null)
  })

  await t.test('a change of an identity provider is visible at once, and leaves the other properties', async () => {
    const { providers, clock } = await createWithOrganisations()
    const before = await providers.create(aProvider({ secret: 'secret' }))
    await clock.advance(5)
    const roles = { claim: null, mapping: [], fallback: null }
    const patches = [{ name: 'Staff' }, { enabled: false }, { settings: { issuer: 'x' } }, { roles }]
    for (const patch of patches) await providers.update('org-a', before.id, patch)
    const after = await providers.get('org-a', before.id)
    assert.ok(after !== null && after.updatedAt > before.updatedAt)
    const expected = { ...before, name: 'Staff', enabled: false, settings: { issuer: 'x' }, roles }
    assert.deepEqual(after, { ...expected, updatedAt: after.updatedAt })
    assert.deepEqual(await providers.resolve(before.id), { ...after, secrets: ['secret'] })
  })

  await t.test('the previous secret is valid during the overlap, and older secrets end at once', async () => {
    const { store, providers, clock } = await createWithOrganisations()
    const { id } = await providers.create(aProvider({ secret: 'first' }))
    const secrets = async () => (await providers.resolve(id))?.secrets
    const rotate = (secret: string, overlap: number) =>
      providers.rotateSecret('org-a', id, { secret, overlapUntil: clock.now() + overlap })
    await rotate('second', 200)
    assert.deepEqual(await secrets(), ['second', 'first'])
    await rotate('third', 200)
    assert.deepEqual(await secrets(), ['third', 'second'])
    await clock.advance(200)
    assert.deepEqual(await secrets(), ['third'])
    await store.sweep({ auditRetention: 1 })
    assert.deepEqual(await secrets(), ['third'])
    await rotate('fourth', 0)
    assert.deepEqual(await secrets(), ['fourth'])
    await Promise.all(['x', 'y', 'z'].map((secret) => rotate(secret, 0)))
    assert.equal((await secrets())?.length, 1, 'of concurrent rotations one secret remains')
  })

  await t.test('an organisation gets as many identity providers as its quota, also concurrently', async () => {
    const { providers } = await createWithOrganisations()
    const createFive = async (orgId: string) => {
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => providers.create(aProvider({ orgId, quota: 2 })))
      )
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
      return results.filter(({ status }) => status === 'fulfilled').length
    }
    assert.equal(await createFive('org-a'), 2)
    assert.equal(await createFive('org-b'), 2)
  })

  await t.test('another organisation cannot read, change, rotate or delete an identity provider', async () => {
    const { providers } = await createWithOrganisations()
    const provider = await providers.create(aProvider({ secret: 'secret' }))
    for (const [orgId, id] of [['org-b', provider.id], ['', provider.id], ['org-a', '\u0000']] as const) {
      assert.equal(await providers.get(orgId, id), null)
      assert.equal(await providers.update(orgId, id, { name: 'Mine' }), null)
      assert.equal(await providers.rotateSecret(orgId, id, { secret: 'x', overlapUntil: 0 }), null)
      assert.equal(await providers.delete(orgId, id), null)
    }
    assert.deepEqual((await providers.list('org-b', { limit: 5 })).data, [])
    assert.deepEqual(await providers.resolve(provider.id), { ...provider, secrets: ['secret'] })
  })

  await t.test('deleting an identity provider ends its sessions and identities at once, and no others', async () => {
    const { store, providers, clock } = await createWithOrganisations()
    const [gone, kept] = [await providers.create(aProvider()), await providers.create(aProvider())]
    const user = await aUser(store)
    for (const { id: providerId } of [gone, kept]) {
      await store.identities.link({ providerId, subject: 's', orgId: 'org-a', userId: user.id })
      const sso = { providerId, subject: 's', providerSession: null, sealedHint: null, loginAt: clock.now() }
      assert.ok(await store.sessions.start(aSession(user.id, clock, { id: providerId, sso })))
    }
    assert.equal((await store.sessions.access(gone.id))?.providerId, gone.id)
    assert.deepEqual(await providers.delete('org-a', gone.id), gone)
    assert.equal(await store.sessions.access(gone.id), null)
    assert.equal(await store.identities.find(gone.id, 's'), null)
    assert.equal((await store.sessions.access(kept.id))?.providerId, kept.id)
    assert.notEqual(await store.identities.find(kept.id, 's'), null)
    assert.equal(await providers.resolve(gone.id), null)
  })

  await t.test('identity providers are listed newest first, page by page', async () => {
    const { providers, clock } = await createWithOrganisations()
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.unshift((await providers.create(aProvider())).id)
      if (at % 2 === 0) await clock.advance(2)
    }
    const pages = await allPages((page) => providers.list('org-a', page), 2)
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(providers.list('org-a', { limit: 3, cursor }), { code: 'INVALID_REQUEST' })
    }
  })

  await t.test('unusual strings of an identity provider are read unchanged', async () => {
    const { providers } = await createWithOrganisations()
    for (const text of AWKWARD_STRINGS) {
      const mapping = [{ value: text, role: 'viewer' as const }]
      const roles = { claim: text, mapping, fallback: null }
      const { id } = await providers.create(aProvider({ name: text, settings: { text, list: [text] }, roles }))
      const found = await providers.get('org-a', id)
      assert.deepEqual([found?.name, found?.settings, found?.roles], [text, { text, list: [text] }, roles])
    }
  })
}
