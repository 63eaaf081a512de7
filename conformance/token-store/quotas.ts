import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { aSource, aWebhook } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

/** Starts ten calls concurrently and returns how many succeed; the others must reject with `CONFLICT`. */
async function createUntilRefused (create: () => Promise<unknown>): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: 10 }, create))
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT', result.reason)
  }
  return results.filter(({ status }) => status === 'fulfilled').length
}

export async function quotaContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('an organisation gets as many sources as its quota, also when they are created ' +
    'concurrently', async () => {
    const { store: { sources } } = await create()
    await sources.create(aSource())
    assert.equal(await createUntilRefused(() => sources.create(aSource({ quota: 3 }))), 2)
    const { data } = await sources.list('org-a', { limit: 100 })
    assert.equal(data.length, 3)
    assert.ok(data.every((source) => !('quota' in source)))
    const refused = aSource({ quota: 3 })
    await assert.rejects(sources.create(refused), { code: 'CONFLICT' })
    assert.equal(await sources.resolve(refused.pipelineKey), null)
    assert.equal(
      await createUntilRefused(() => sources.create(aSource({ orgId: 'org-b', quota: 3 }))),
      3,
      'another organisation has its own quota'
    )
  })

  await t.test('deleting a source frees its place in the quota', async () => {
    const { store: { sources } } = await create()
    const { id } = await sources.create(aSource({ quota: 1 }))
    await assert.rejects(sources.create(aSource({ quota: 1 })), { code: 'CONFLICT' })
    await sources.delete('org-a', id)
    assert.equal(await createUntilRefused(() => sources.create(aSource({ quota: 1 }))), 1)
  })

  await t.test('a source without a quota is always created', async () => {
    const { store: { sources } } = await create()
    await sources.create(aSource({ quota: 1 }))
    assert.equal(await createUntilRefused(() => sources.create(aSource())), 10)
    await assert.rejects(
      sources.create(aSource({ quota: 5 })),
      { code: 'CONFLICT' },
      'it counts in the quota of the next source'
    )
  })

  await t.test('an organisation gets as many webhooks in all its sources as its quota, also when they are ' +
    'created concurrently', async () => {
    const { store: { sources, webhooks } } = await create()
    const [one, two, other] = [await sources.create(aSource()), await sources.create(aSource()),
      await sources.create(aSource({ orgId: 'org-b' }))]
    let turn = 0
    assert.equal(
      await createUntilRefused(() => webhooks.create('org-a', turn++ % 2 === 0 ? one.id : two.id, aWebhook({ quota: 3 }))),
      3
    )
    const lists = [await webhooks.list('org-a', one.id, { limit: 100 }),
      await webhooks.list('org-a', two.id, { limit: 100 })]
    const all = lists.flatMap((list) => list?.data ?? [])
    assert.equal(all.length, 3)
    assert.ok(all.every((webhook) => !('quota' in webhook)))
    assert.equal(
      await createUntilRefused(() => webhooks.create('org-b', other.id, aWebhook({ quota: 3 }))),
      3,
      'another organisation has its own quota'
    )
    assert.equal(
      await webhooks.create('org-a', other.id, aWebhook({ quota: 3 })),
      null,
      'no source of the organisation'
    )
    assert.notEqual(await webhooks.create('org-a', one.id, aWebhook()), null, 'without a quota')
  })

  await t.test('deleting a webhook or its source frees its place in the quota', async () => {
    const { store: { sources, webhooks } } = await create()
    const [one, two] = [await sources.create(aSource()), await sources.create(aSource())]
    const createWebhook = async () => await webhooks.create('org-a', one.id, aWebhook({ quota: 2 }))
    const first = await createWebhook()
    assert.ok(first !== null)
    await webhooks.create('org-a', two.id, aWebhook({ quota: 2 }))
    await assert.rejects(createWebhook(), { code: 'CONFLICT' })
    await webhooks.delete('org-a', one.id, first.id)
    assert.notEqual(await createWebhook(), null)
    await assert.rejects(createWebhook(), { code: 'CONFLICT' })
    await sources.delete('org-a', two.id)
    assert.equal(await createUntilRefused(createWebhook), 1)
  })
}
