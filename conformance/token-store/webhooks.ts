import assert from 'node:assert/strict'

import type { CustomSignature, TokenStore, WebhookPatch } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, aSource, aWebhook, allPages, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const CUSTOM: CustomSignature = {
  header: 'x-signature',
  encoding: 'base64',
  hash: 'sha512',
  prefix: 'v1=',
  timestampHeader: 'x-time',
  template: '{timestamp}:{body}'
}
const MAPPING = {
  type: 'page' as const,
  each: null,
  event: ['$.a', '$.b'],
  properties: { '\u0000': '$.x', b: '$.b', a: '$.a' },
  traits: null
}
const NOBODY = 'wh_000000000000000000000000'

async function withSource (store: TokenStore, orgId = 'org-a') {
  return { source: await store.sources.create(aSource({ orgId })), webhooks: store.webhooks }
}

export async function webhookContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a webhook is read back as it was created, with an id and the prefix of its secret', async () => {
    const { store, clock } = await create()
    const { source, webhooks } = await withSource(store)
    for (
      const more of [{}, {
        provider: 'custom' as const,
        custom: CUSTOM,
        mapping: MAPPING,
        url: 'https://e.example.com/v1/webhook',
        enabled: false
      }]
    ) {
      const { secret, ...fresh } = aWebhook({ secret: 'whsec_abcdefghijklmnopqrstuvwxyz', ...more })
      const webhook = await webhooks.create('org-a', source.id, { ...fresh, secret })
      assert.ok(webhook !== null)
      const { id, createdAt, secretPrefix } = webhook
      assert.match(id, /^wh_[0-9A-Za-z]{24}$/)
      assert.ok(Math.abs(createdAt - clock.now()) < 10_000)
      assert.equal(secretPrefix, 'whsec_abcdef')
      assert.deepEqual(webhook, {
        id,
        orgId: 'org-a',
        sourceId: source.id,
        ...fresh,
        secretPrefix,
        createdAt,
        updatedAt: createdAt
      })
      assert.deepEqual(await webhooks.get('org-a', source.id, id), webhook)
      assert.equal(JSON.stringify(webhook.mapping), JSON.stringify(fresh.mapping), 'including the order of properties')
    }
    const short = await webhooks.create('org-a', source.id, aWebhook({ secret: 'abc' }))
    assert.equal(short?.secretPrefix, '', 'a short secret is not shown at all')
  })

  await t.test('an invalid secret for the provider is refused, and no webhook is stored', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    for (const [provider, secret] of [['stripe', ''], ['standard', 'whsec_***'], ['custom', 'hex:zz']] as const) {
      await assert.rejects(webhooks.create('org-a', source.id, aWebhook({ provider, secret })), {
        code: 'INVALID_REQUEST'
      })
    }
    assert.deepEqual((await webhooks.list('org-a', source.id, { limit: 10 }))?.data, [])
    const webhook = await webhooks.create('org-a', source.id, aWebhook({ provider: 'standard', secret: 'whsec_YWJj' }))
    assert.ok(webhook !== null)
    await assert.rejects(
      webhooks.rotateSecret('org-a', source.id, webhook.id, { secret: 'whsec_*', overlapUntil: 0 }),
      { code: 'INVALID_REQUEST' }
    )
    assert.deepEqual((await webhooks.resolve(webhook.id))?.secrets.map(({ value }) => value.toString()), ['abc'])
  })

  await t.test('a patch changes only its own properties and only settings', async () => {
    const { store, clock } = await create()
    const { source, webhooks } = await withSource(store)
    const webhook = await webhooks.create('org-a', source.id, aWebhook())
    assert.ok(webhook !== null)
    const patches: WebhookPatch[] = [
      { name: 'New' },
      { url: 'https://e.example.com/v1/webhook' },
      { url: null },
      { custom: CUSTOM },
      { custom: null },
      { mapping: MAPPING },
      { mapping: null },
      { enabled: false },
      {}
    ]
    let expected = webhook
    for (const patch of patches) {
      await clock.advance(2)
      const updated = await webhooks.update('org-a', source.id, webhook.id, patch)
      assert.ok(updated !== null && updated.updatedAt > expected.updatedAt)
      expected = { ...expected, ...patch, updatedAt: updated.updatedAt }
      assert.deepEqual(updated, expected)
      assert.deepEqual(await webhooks.get('org-a', source.id, webhook.id), expected)
    }
    const odd = {
      id: 'x',
      orgId: 'org-b',
      sourceId: 'x',
      provider: 'shopify',
      secretPrefix: 'x',
      createdAt: 1,
      name: undefined
    }
    const updated = await webhooks.update('org-a', source.id, webhook.id, odd as unknown as WebhookPatch)
    assert.deepEqual({ ...updated, updatedAt: expected.updatedAt }, expected)
  })

  await t.test('another organisation, or another source of the organisation, cannot read, change or ' +
    'delete a webhook', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    const { source: sibling } = await withSource(store)
    const { source: foreign } = await withSource(store, 'org-b')
    const webhook = await webhooks.create('org-a', source.id, aWebhook())
    assert.ok(webhook !== null)
    const { id } = webhook
    for (
      const [orgId, sourceId, at] of [
        ['org-b', source.id, id],
        ['org-b', foreign.id, id],
        ['org-a', sibling.id, id],
        ['', source.id, id],
        ['org-a', '', id],
        ['org-a', source.id, id.toLowerCase()],
        ['org-a', source.id, ''],
        ['org-a', source.id, '\u0000'],
        ['org-a', source.id, NOBODY]
      ] as const
    ) {
      assert.equal(await webhooks.get(orgId, sourceId, at), null)
      assert.equal(await webhooks.update(orgId, sourceId, at, { name: 'Mine' }), null)
      assert.equal(
        await webhooks.rotateSecret(orgId, sourceId, at, { secret: 'another secret', overlapUntil: 0 }),
        null
      )
      assert.equal(await webhooks.delete(orgId, sourceId, at), false)
    }
    for (
      const [orgId, sourceId] of [['org-b', source.id], ['org-a', foreign.id], ['org-a', 'x'], ['org-a',
        '\u0000']] as const
    ) {
      assert.equal(await webhooks.create(orgId, sourceId, aWebhook()), null)
      assert.equal(await webhooks.list(orgId, sourceId, { limit: 10 }), null)
    }
    assert.deepEqual(await webhooks.get('org-a', source.id, id), webhook)
    assert.deepEqual((await webhooks.list('org-a', sibling.id, { limit: 10 }))?.data, [])
  })

  await t.test('webhooks are listed newest first, page by page, and an invalid cursor is refused', async () => {
    const { store, clock } = await create()
    const { source, webhooks } = await withSource(store)
    const ids: string[] = []
    for (let at = 0; at < 7; at++) {
      ids.unshift((await webhooks.create('org-a', source.id, aWebhook()))?.id ?? '')
      if (at % 3 === 0) await clock.advance(2)
    }
    const pages = await allPages(
      async (page) => await webhooks.list('org-a', source.id, page) ?? { data: [], nextCursor: null },
      3
    )
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)])
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(webhooks.list('org-a', source.id, { limit: 3, cursor }), { code: 'INVALID_REQUEST' })
    }
  })

  await t.test('unusual names are read back unchanged', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    for (const name of AWKWARD_STRINGS) {
      const webhook = await webhooks.create('org-a', source.id, aWebhook({ name, mapping: { event: name } }))
      assert.deepEqual([webhook?.name, webhook?.mapping], [name, { event: name }])
    }
  })

  await t.test('an id resolves to its webhook, source and secret, as a frozen value that is soon ' +
    'synchronous', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    const webhook = await webhooks.create(
      'org-a',
      source.id,
      aWebhook({ provider: 'custom', custom: CUSTOM, mapping: MAPPING, secret: 'hex:00ff10' })
    )
    const resolved = await webhooks.resolve(webhook?.id ?? '')
    assert.deepEqual(resolved?.webhook, webhook)
    assert.deepEqual(resolved.source, source)
    assert.deepEqual(resolved.secrets.map(({ value, expiresAt }) => [value.toString('hex'), expiresAt]), [['00ff10',
      null]])
    const { webhook: { custom, mapping } } = resolved
    const parts = [resolved, resolved.webhook, custom, mapping, mapping?.event, resolved.source,
      resolved.source.domains, resolved.secrets, ...resolved.secrets]
    for (const part of parts) assert.ok(Object.isFrozen(part))
    await atOnce(() => webhooks.resolve(webhook?.id ?? ''))
    for (
      const id of ['', 'wh_', NOBODY, webhook?.id.toLowerCase() ?? '', `${webhook?.id} `, '%', '\u0000', '__proto__',
        source.id, 'x'.repeat(8_192)]
    ) {
      assert.equal(await webhooks.resolve(id), null, id.slice(0, 40))
    }
  })

  await t.test('a change of the webhook or its source takes effect at once on the same instance, and no webhook ' +
    'outlives its source', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    const [id = '', other = '', last = ''] = await Promise.all(
      [1, 2, 3].map(async () => (await webhooks.create('org-a', source.id, aWebhook()))?.id)
    )
    const enabled = async () => {
      const resolved = await webhooks.resolve(id)
      return [resolved?.webhook.enabled, resolved?.source.enabled]
    }
    assert.deepEqual(await enabled(), [true, true])
    await webhooks.update('org-a', source.id, id, { enabled: false })
    assert.deepEqual(await enabled(), [false, true], 'a disabled webhook resolves, so that the route can refuse it')
    await store.sources.update('org-a', source.id, { enabled: false, environment: 'test' })
    assert.deepEqual(await enabled(), [false, false])
    assert.equal((await webhooks.resolve(id))?.source.environment, 'test')
    assert.equal(await webhooks.delete('org-a', source.id, id), true)
    assert.equal(await webhooks.resolve(id), null)
    assert.equal(await webhooks.get('org-a', source.id, id), null)
    assert.equal(await webhooks.delete('org-a', source.id, id), false)

    assert.notEqual(await webhooks.resolve(other), null)
    await store.sources.delete('org-a', source.id)
    for (const deleted of [other, last]) {
      assert.equal(await webhooks.resolve(deleted), null)
      assert.equal(await webhooks.get('org-a', source.id, deleted), null)
    }
  })

  await t.test('a rotated secret comes first, the previous secret is valid until its overlap ends, and no third ' +
    'secret is', async () => {
    const { store, clock } = await create()
    const { source, webhooks } = await withSource(store)
    const { id = '' } = await webhooks.create('org-a', source.id, aWebhook({ secret: 'first secret' })) ?? {}
    const secrets = async () => (await webhooks.resolve(id))?.secrets.map(({ value }) => value.toString())
    assert.deepEqual(await secrets(), ['first secret'])
    const rotated = await webhooks.rotateSecret('org-a', source.id, id, {
      secret: 'second secret',
      overlapUntil: clock.now() + 10_000
    })
    assert.equal(rotated?.secretPrefix, 'sec')
    assert.deepEqual(await secrets(), ['second secret', 'first secret'])
    const until = clock.now() + 100
    await webhooks.rotateSecret('org-a', source.id, id, { secret: 'third secret', overlapUntil: until })
    assert.deepEqual(await secrets(), ['third secret', 'second secret'])
    assert.deepEqual((await webhooks.resolve(id))?.secrets.map(({ expiresAt }) => expiresAt), [null, until])
    await clock.advance(100)
    assert.deepEqual(await secrets(), ['third secret'], 'also from the cache')
    await store.sweep({ auditRetention: 1_000 })
    assert.deepEqual(await secrets(), ['third secret'])
    await webhooks.rotateSecret('org-a', source.id, id, { secret: 'fourth secret', overlapUntil: 0 })
    assert.deepEqual(await secrets(), ['fourth secret'])
  })

  await t.test('no returned webhook contains its secret', async () => {
    const { store } = await create()
    const { source, webhooks } = await withSource(store)
    const secret = 'k3j4h5g6f7d8s9a0q1w2e3r4t5y6u7i8'
    const next = 'p0o9i8u7y6t5r4e3w2q1m2n3b4v5c6x7'
    const created = await webhooks.create('org-a', source.id, aWebhook({ secret }))
    const id = created?.id ?? ''
    const seen = JSON.stringify([
      created,
      await webhooks.rotateSecret('org-a', source.id, id, { secret: next, overlapUntil: 0 }),
      await webhooks.get('org-a', source.id, id),
      await webhooks.list('org-a', source.id, { limit: 10 }),
      await webhooks.update('org-a', source.id, id, {})
    ])
    for (const each of [secret, next]) assert.ok(!seen.includes(each.slice(0, 9)))
  })
}
