import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, allPages } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function organisationContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('an organisation is read as it was created, with defaults', async () => {
    const { store: { organisations }, clock } = await create()
    const acme = await organisations.create({ id: 'acme', name: 'Acme' })
    assert.deepEqual(acme, {
      id: 'acme',
      name: 'Acme',
      mfa: 'optional',
      maxUsers: null,
      maxSources: null,
      createdAt: acme.createdAt
    })
    assert.ok(Math.abs(acme.createdAt - clock.now()) < 10_000)
    const limits = { mfa: 'required', maxUsers: 5, maxSources: 0 } as const
    const globex = await organisations.create({ name: 'Globex', ...limits })
    assert.ok(globex.id.length > 10)
    assert.deepEqual(globex, { id: globex.id, name: 'Globex', ...limits, createdAt: globex.createdAt })
    for (const organisation of [acme, globex]) {
      assert.deepEqual(await organisations.get(organisation.id), organisation)
    }
    assert.equal(await organisations.get('nothing'), null)
    await assert.rejects(organisations.create({ id: 'acme', name: 'Another' }), { code: 'CONFLICT' })
    assert.equal((await organisations.get('acme'))?.name, 'Acme')
  })

  await t.test('an update of an organisation changes only the given properties', async () => {
    const { store: { organisations } } = await create()
    let expected = await organisations.create({ id: 'acme', name: 'Acme', maxUsers: 3 })
    const other = await organisations.create({ name: 'Globex' })
    const patches = [{ name: 'Acme Inc' }, { mfa: 'required' }, { maxUsers: null }, { maxSources: 7 }, {}] as const
    for (const patch of patches) {
      expected = { ...expected, ...patch }
      assert.deepEqual(await organisations.update('acme', patch), expected)
      assert.deepEqual(await organisations.get('acme'), expected)
    }
    assert.deepEqual(await organisations.get(other.id), other)
    assert.equal(await organisations.update('nothing', { name: 'x' }), null)
  })

  await t.test('organisations are listed newest first, page by page', async () => {
    const { store: { organisations }, clock } = await create()
    const created: string[] = []
    for (let at = 0; at < 5; at++) {
      created.unshift((await organisations.create({ name: `Organisation ${at}` })).id)
      if (at % 2 === 0) await clock.advance(2)
    }
    const pages = await allPages((page) => organisations.list(page), 2)
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [
      created.slice(0, 2),
      created.slice(2, 4),
      created.slice(4)
    ])
  })

  await t.test('unusual strings are valid ids and names of organisations', async () => {
    const { store: { organisations } } = await create()
    for (const text of AWKWARD_STRINGS) await organisations.create({ id: text, name: text })
    for (const text of AWKWARD_STRINGS) {
      const organisation = await organisations.get(text)
      assert.deepEqual([organisation?.id, organisation?.name], [text, text])
    }
  })
}
