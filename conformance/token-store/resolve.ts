import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { aKey, aSource, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function resolveContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a key resolves to its source and secret, as a frozen value that is soon synchronous', async () => {
    const { store: { sources } } = await create()
    const source = await sources.create(aSource({ serverSecret: 'hex:00ff10', allowWeakSecret: true }))
    const resolved = await sources.resolve(source.pipelineKey)
    assert.deepEqual(resolved?.source, source)
    assert.equal(resolved.key, source.pipelineKey)
    assert.equal(resolved.keyExpiresAt, null)
    assert.deepEqual(resolved.secrets.map(({ value, expiresAt }) => [value.toString('hex'), expiresAt]), [['00ff10',
      null]])
    for (
      const part of [resolved, resolved.source, resolved.source.domains, resolved.source.pixelTypes, resolved.secrets,
        ...resolved.secrets]
    ) {
      assert.ok(Object.isFrozen(part))
    }
    assert.deepEqual((await atOnce(() => sources.resolve(source.pipelineKey)))?.source, source)
  })

  await t.test('only the exact key is found', async () => {
    const { store: { sources } } = await create()
    const key = 'dk_live_AbCdEfGhIjKlMnOpQrStUvWxYz012345'
    const { id } = await sources.create(aSource({ pipelineKey: key }))
    const others = [
      '',
      ' ',
      '*',
      '%',
      '_',
      '?',
      'dk_live_*',
      'dk_live_%',
      'dk_live_________________________________',
      'dk_live_?????',
      'dk%',
      '.*',
      "' or 1=1--",
      "dk_live_' OR '1'='1",
      `${key}' --`,
      `${key}\u0000`,
      `\u0000${key}`,
      `${key}\r\n`,
      `${key}\r\nX: y`,
      ` ${key}`,
      `${key} `,
      `${key}%00`,
      encodeURIComponent(`${key} `),
      key.toLowerCase(),
      key.toUpperCase(),
      key.replace('dk_live_', 'dk_test_'),
      key.replace('0', '٠'),
      key.replace('A', 'Á'),
      key.replace('A', 'А'),
      key.replace('dk', 'ＤＫ'),
      key.slice(0, -1),
      `${key}x`,
      key.repeat(200),
      'x'.repeat(8_192),
      'source:1',
      `source:${key}`,
      'a:b:c',
      '{}',
      '[object Object]',
      'null',
      'undefined',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '\ud800',
      '\ufffd',
      '🙂',
      '$1',
      '${',
      '\\',
      '\\x00'
    ]
    for (const text of others) assert.equal(await sources.resolve(text), null, JSON.stringify(text.slice(0, 60)))
    assert.equal((await sources.resolve(key))?.source.id, id)
    for (const text of others) assert.equal(await sources.resolve(text), null, JSON.stringify(text.slice(0, 60)))
  })

  await t.test('keys from another system are found, each with its own source', async () => {
    const { store: { sources } } = await create()
    const keys = [
      'dk_live_abc123',
      'dk_test_abc123',
      'dk_live_ABC123',
      'dk_live_abc12_',
      'dk_live_abc12-',
      'dk_live_______',
      'dk_live_------',
      'dk_live___proto__',
      `dk_live_${'a'.repeat(127)}b`,
      `dk_live_${'a'.repeat(128)}`
    ]
    const ids = new Map<string, string>()
    for (const pipelineKey of keys) ids.set(pipelineKey, (await sources.create(aSource({ pipelineKey }))).id)
    for (const pipelineKey of keys) assert.equal((await sources.resolve(pipelineKey))?.source.id, ids.get(pipelineKey))
  })

  await t.test('create and rotateKey refuse a key that the pipelineKey guard would refuse, and resolve does not ' +
    'find it', async () => {
    const { store: { sources } } = await create()
    const { id, pipelineKey } = await sources.create(aSource())
    const keys = [
      '',
      'key',
      'dk_live_',
      'dk_live_abc12',
      `dk_live_${'a'.repeat(129)}`,
      'dk_prod_abc123',
      'DK_live_abc123',
      'dk_LIVE_abc123',
      'dk_live_abc 123',
      ' dk_live_abc123',
      'dk_live_abc123 ',
      'dk_live_abc123\n',
      'dk_live_abc.123',
      'dk_live_abc+123',
      'dk_live_abc%20',
      'dk_live_abc:123',
      'dk_live_abc*123',
      'dk_live_\u0000bc123',
      'dk_live_ébc123',
      'dk_live_\ud800bc123',
      '__proto__'
    ]
    for (const key of keys) {
      await assert.rejects(
        sources.create(aSource({ pipelineKey: key })),
        { code: 'INVALID_REQUEST' },
        JSON.stringify(key)
      )
      await assert.rejects(sources.rotateKey('org-a', id, { pipelineKey: key, overlapUntil: 0 }), {
        code: 'INVALID_REQUEST'
      }, JSON.stringify(key))
      assert.equal(await sources.resolve(key), null, JSON.stringify(key))
    }
    assert.equal((await sources.list('org-a', { limit: 100 })).data.length, 1)
    assert.equal((await sources.resolve(pipelineKey))?.source.id, id)
  })

  await t.test('a key that was looked up before it existed works at once after its creation on the same ' +
    'instance', async () => {
    const { store: { sources } } = await create()
    const pipelineKey = aKey()
    assert.equal(await sources.resolve(pipelineKey), null)
    assert.equal(await sources.resolve(pipelineKey), null)
    const { id } = await sources.create(aSource({ pipelineKey }))
    assert.equal((await sources.resolve(pipelineKey))?.source.id, id)

    const next = aKey()
    assert.equal(await sources.resolve(next), null)
    await sources.rotateKey('org-a', id, { pipelineKey: next, overlapUntil: 0 })
    assert.equal((await sources.resolve(next))?.source.id, id)
  })

  await t.test('a change or deletion takes effect at once on the same instance', async () => {
    const { store: { sources } } = await create()
    const { id, pipelineKey } = await sources.create(aSource())
    await sources.resolve(pipelineKey)
    await sources.update('org-a', id, { domains: ['https://new.example.com'] })
    assert.deepEqual((await sources.resolve(pipelineKey))?.source.domains, ['https://new.example.com'])
    await sources.update('org-a', id, { enabled: false })
    assert.equal(
      (await sources.resolve(pipelineKey))?.source.enabled,
      false,
      'a disabled source resolves, so that the guard can refuse it'
    )
    await sources.delete('org-a', id)
    assert.equal(await sources.resolve(pipelineKey), null)
  })

  await t.test('a look-up in flight while its source is deleted does not restore it', async () => {
    const { store: { sources } } = await create()
    for (let round = 0; round < 20; round++) {
      const { id, pipelineKey } = await sources.create(aSource())
      await Promise.all([sources.resolve(pipelineKey), sources.delete('org-a', id), sources.resolve(pipelineKey)])
      assert.equal(await sources.resolve(pipelineKey), null)
    }
  })

  await t.test('without an overlap the old key expires at once', async () => {
    const { store: { sources }, clock } = await create()
    for (const overlapUntil of [0, clock.now() - 1, clock.now()]) {
      const { id, pipelineKey } = await sources.create(aSource())
      await sources.resolve(pipelineKey)
      const next = aKey()
      const rotated = await sources.rotateKey('org-a', id, { pipelineKey: next, overlapUntil })
      assert.equal(rotated?.pipelineKey, next)
      assert.equal(await sources.resolve(pipelineKey), null)
      assert.deepEqual((await sources.resolve(next))?.source, rotated)
    }
  })

  await t.test('with an overlap both keys work until it ends, also from the cache, and an older key expires at ' +
    'once', async () => {
    const { store, clock } = await create()
    const { sources } = store
    const [first, second, third] = [aKey(), aKey(), aKey()]
    const { id } = await sources.create(aSource({ pipelineKey: first }))
    await sources.rotateKey('org-a', id, { pipelineKey: second, overlapUntil: clock.now() + 10_000 })
    assert.notEqual(await sources.resolve(first), null)
    const until = clock.now() + 100
    await sources.rotateKey('org-a', id, { pipelineKey: third, overlapUntil: until })
    assert.equal(await sources.resolve(first), null)
    const old = await sources.resolve(second)
    assert.deepEqual([old?.key, old?.keyExpiresAt, old?.source.pipelineKey], [second, until, third])
    assert.equal((await sources.resolve(third))?.keyExpiresAt, null)

    await clock.advance(60)
    assert.notEqual(await sources.resolve(second), null)
    await clock.advance(40)
    assert.equal(await sources.resolve(second), null)
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await sources.resolve(second), null)
    assert.equal((await sources.resolve(third))?.source.id, id)
  })

  await t.test('a rotated server secret comes first, the previous secret is valid until its overlap ends, and no ' +
    'third secret is', async () => {
    const { store, clock } = await create()
    const { sources } = store
    const { id, pipelineKey } = await sources.create(aSource({ serverSecret: 'first q7Ty2Kd9Wm4x' }))
    const secrets = async () => (await sources.resolve(pipelineKey))?.secrets.map(({ value }) => value.toString())
    assert.deepEqual(await secrets(), ['first q7Ty2Kd9Wm4x'])
    const rotated = await sources.rotateSecret('org-a', id, {
      serverSecret: 'second Zp3Lr8Vn6Bc1',
      overlapUntil: clock.now() + 10_000
    })
    assert.ok(rotated !== null && 'second Zp3Lr8Vn6Bc1'.startsWith(rotated.serverSecretPrefix))
    assert.deepEqual(await secrets(), ['second Zp3Lr8Vn6Bc1', 'first q7Ty2Kd9Wm4x'])

    const until = clock.now() + 100
    await sources.rotateSecret('org-a', id, { serverSecret: 'third h5Gf0Js2Xa7e', overlapUntil: until })
    assert.deepEqual(await secrets(), ['third h5Gf0Js2Xa7e', 'second Zp3Lr8Vn6Bc1'])
    assert.deepEqual((await sources.resolve(pipelineKey))?.secrets.map(({ expiresAt }) => expiresAt), [null, until])
    await clock.advance(100)
    assert.deepEqual(await secrets(), ['third h5Gf0Js2Xa7e'], 'also from the cache')
    await store.sweep({ auditRetention: 1_000 })
    assert.deepEqual(await secrets(), ['third h5Gf0Js2Xa7e'])

    await sources.rotateSecret('org-a', id, { serverSecret: 'fourth u4Mi9Ow6Dz3k', overlapUntil: 0 })
    assert.deepEqual(await secrets(), ['fourth u4Mi9Ow6Dz3k'])
  })

  await t.test('origins returns the origins of all enabled sources, and a change takes effect at once on the same ' +
    'instance', async () => {
    const { store: { sources } } = await create()
    const domains = async () => (await sources.origins()).flatMap((origins) => origins.domains).sort()
    assert.deepEqual(await domains(), [])
    const a = await sources.create(aSource({ domains: ['https://a.test'] }))
    const b = await sources.create(aSource({ orgId: 'org-b', domains: ['https://b.test'], allowAnyOrigin: true }))
    await sources.create(aSource({ domains: ['https://off.test'], enabled: false }))
    assert.deepEqual(await domains(), ['https://a.test', 'https://b.test'])
    assert.deepEqual((await sources.origins()).map(({ allowAnyOrigin }) => allowAnyOrigin).sort(), [false, true])
    assert.deepEqual((await sources.origins()).map(({ allowNullOrigin }) => allowNullOrigin), [false, false])
    await sources.update('org-a', a.id, { allowNullOrigin: true })
    assert.deepEqual((await sources.origins()).map(({ allowNullOrigin }) => allowNullOrigin).sort(), [false, true])
    await atOnce(() => sources.origins())
    await sources.update('org-a', a.id, { domains: ['https://new.test'] })
    assert.deepEqual(await domains(), ['https://b.test', 'https://new.test'])
    await sources.update('org-a', a.id, { enabled: false })
    assert.deepEqual(await domains(), ['https://b.test'])
    await sources.delete('org-b', b.id)
    assert.deepEqual(await domains(), [])
  })
}
