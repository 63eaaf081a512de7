import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { BAD_CURSORS, allPages } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function ssoDomainContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithOrganisations () {
    const { store, clock } = await create()
    for (const id of ['org-a', 'org-b', 'org-c']) await store.organisations.create({ id, name: id })
    const add = (orgId: string, domain = 'example.com', quota?: number) =>
      store.ssoDomains.add({ orgId, domain, token: `token-${orgId}`, quota })
    return { domains: store.ssoDomains, clock, add }
  }

  await t.test('a new domain is not proved, and is not found before it is', async () => {
    const { domains, clock, add } = await createWithOrganisations()
    const fresh = await add('org-a', 'Example.COM')
    assert.match(fresh.id, /^dom_[0-9A-Za-z]{24}$/)
    assert.ok(Math.abs(fresh.createdAt - clock.now()) < 10_000)
    const { id, createdAt } = fresh
    const expected = { id, orgId: 'org-a', domain: 'example.com', token: 'token-org-a', verifiedAt: null }
    assert.deepEqual(fresh, { ...expected, sso: 'optional', createdAt })
    assert.equal(await domains.findVerified('example.com'), null)
    const verified = await domains.verify('org-a', id)
    assert.ok(verified?.verifiedAt !== null)
    assert.deepEqual(await domains.get('org-a', id), verified)
    for (const domain of ['example.com', 'EXAMPLE.com']) {
      assert.deepEqual(await domains.findVerified(domain), { orgId: 'org-a', sso: 'optional' })
    }
    for (const domain of ['sub.example.com', 'example.com.', 'example.co', '', '%', '\u0000']) {
      assert.equal(await domains.findVerified(domain), null, domain)
    }
  })

  await t.test('a second proof keeps the time of the first, and a policy applies at once', async () => {
    const { domains, clock, add } = await createWithOrganisations()
    const { id } = await add('org-a')
    const first = await domains.verify('org-a', id)
    await clock.advance(5)
    assert.deepEqual(await domains.verify('org-a', id), first)
    assert.equal((await domains.update('org-a', id, { sso: 'required' }))?.sso, 'required')
    assert.deepEqual(await domains.findVerified('example.com'), { orgId: 'org-a', sso: 'required' })
  })

  await t.test('several organisations may claim a domain, and exactly one proves it', async () => {
    const { domains, add } = await createWithOrganisations()
    const claims = await Promise.all(['org-a', 'org-b', 'org-c'].map((orgId) => add(orgId)))
    await assert.rejects(add('org-a'), { code: 'CONFLICT' })
    const results = await Promise.allSettled(claims.map(({ orgId, id }) => domains.verify(orgId, id)))
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    const winner = await domains.findVerified('example.com')
    for (const { orgId, id } of claims) {
      assert.equal((await domains.get(orgId, id))?.verifiedAt !== null, orgId === winner?.orgId)
    }
    const claim = claims.find(({ orgId }) => orgId === winner?.orgId)
    await domains.remove(claim?.orgId ?? '', claim?.id ?? '')
    assert.equal(await domains.findVerified('example.com'), null)
    const next = claims.find(({ orgId }) => orgId !== winner?.orgId)
    assert.notEqual((await domains.verify(next?.orgId ?? '', next?.id ?? ''))?.verifiedAt, null)
  })

  await t.test('another organisation cannot read, prove, change or remove a domain', async () => {
    const { domains, add } = await createWithOrganisations()
    const { id } = await add('org-a')
    for (const [orgId, other] of [['org-b', id], ['', id], ['org-a', '\u0000']] as const) {
      assert.equal(await domains.get(orgId, other), null)
      assert.equal(await domains.verify(orgId, other), null)
      assert.equal(await domains.update(orgId, other, { sso: 'required' }), null)
      assert.equal(await domains.remove(orgId, other), null)
    }
    assert.deepEqual((await domains.list('org-b', { limit: 5 })).data, [])
    assert.equal((await domains.get('org-a', id))?.sso, 'optional')
  })

  await t.test('an organisation gets as many domains as its quota, and they are listed newest first', async () => {
    const { domains, clock, add } = await createWithOrganisations()
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.unshift((await add('org-a', `d${at}.example.com`, 5)).id)
      if (at % 2 === 0) await clock.advance(2)
    }
    await assert.rejects(add('org-a', 'more.example.com', 5), { code: 'CONFLICT' })
    const pages = await allPages((page) => domains.list('org-a', page), 2)
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(domains.list('org-a', { limit: 3, cursor }), { code: 'INVALID_REQUEST' })
    }
  })
}
