import { Redis } from 'ioredis'
import t from 'tap'

import { openRedis } from '../../../lib/redis/open-redis.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { aRevocation, aSession, aSource, aUser, aWebhook } from '../../../conformance/token-store/fixtures.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { privateRedis } from '../../helpers/redis.js'

/** A value that one instance reads, another instance ends, and a captured entry could restore. */
interface Ended {
  kind: string
  read: (store: TokenStore) => unknown
  end: (store: TokenStore) => Promise<unknown>
  before: unknown
  after: unknown
}

type Entry = [name: string, members: Record<string, string>]

t.test('a writer in Redis gains no access', async (t) => {
  const redis = await privateRedis(t, { needsOwn: true })
  if (redis === null) return
  const direct = new Redis(redis.url)
  t.teardown(() => direct.disconnect())
  let passed = 0
  const now = () => Date.now() + passed

  async function twoInstances (): Promise<[a: TokenStore, b: TokenStore]> {
    const database = await emptyDatabase()
    await direct.flushall()
    const stores: TokenStore[] = []
    for (let count = 0; count < 2; count++) {
      const { link, close } = await openRedis({ url: redis?.url ?? '' })
      const store = sqlStore(database, {
        secretsKeys: ['a key that seals what this test file stores'],
        cacheTtl: 800,
        redis: link,
        now
      })
      t.teardown(async () => {
        await store.close()
        await close()
      })
      stores.push(store)
    }
    return stores as [TokenStore, TokenStore]
  }

  /** One value of each kind that is looked up through Redis. */
  async function everything (store: TokenStore): Promise<Ended[]> {
    const user = await aUser(store)
    const session = { ...aSession(user.id, { now, advance: async () => {} }), expiresAt: now() + 3_600_000 }
    await store.sessions.start(session)
    const { id, pipelineKey } = await store.sources.create(aSource({ domains: ['https://shop.example.com'] }))
    const other = await store.sources.create(aSource())
    const webhookId = (await store.webhooks.create('org-a', other.id, aWebhook()))?.id ?? ''
    await store.guestTokens.set('digest', {
      token: 'minted',
      clientId: 'client',
      mintedAt: now(),
      expiresAt: now() + 3_600_000
    })
    return [
      {
        kind: 'source',
        before: id,
        after: null,
        end: ({ sources }) => sources.delete('org-a', id),
        read: async ({ sources }) => (await sources.resolve(pipelineKey))?.source.id ?? null
      },
      {
        kind: 'origins',
        before: 2,
        after: 1,
        end: async () => {},
        read: async ({ sources }) => (await sources.origins()).length
      },
      {
        kind: 'webhook',
        before: true,
        after: false,
        end: ({ webhooks }) => webhooks.update('org-a', other.id, webhookId, { enabled: false }),
        read: async ({ webhooks }) => (await webhooks.resolve(webhookId))?.webhook.enabled
      },
      {
        kind: 'access',
        before: 'admin',
        after: null,
        end: ({ sessions }) => sessions.endAll(user.id),
        read: async ({ sessions }) => (await sessions.access(session.id))?.role ?? null
      },
      {
        kind: 'guest',
        before: 'minted',
        after: null,
        end: ({ guestTokens }) => guestTokens.invalidate({ clientId: 'client' }),
        read: async ({ guestTokens }) => (await guestTokens.get('digest'))?.token ?? null
      },
      {
        kind: 'cutoff',
        before: 0,
        after: 1_000,
        end: ({ revocations }) => revocations.revoke(aRevocation({ before: 1_000 })),
        read: ({ revocations }) => revocations.cutoff('org-a', 'user', 'user-1')
      }
    ]
  }

  async function captured (kinds: readonly string[]): Promise<Entry[]> {
    for (;;) {
      const names = (await direct.keys('*')).filter((name) => kinds.some((kind) => name.includes(`:${kind}:`)))
      if (names.length === kinds.length) {
        return await Promise.all(names.map(async (name): Promise<Entry> => [name, await direct.hgetall(name)]))
      }
    }
  }

  /** Restores the entries unchanged or with a newer version, and deletes the marks of their changes. */
  async function putBack (entries: readonly Entry[], fresh: Record<string, string>): Promise<void> {
    const marks = await direct.keys('*changed:*')
    if (marks.length > 0) await direct.del(...marks)
    for (const [name, members] of entries) {
      await direct.hset(name, { ...members, ...fresh })
      await direct.pexpire(name, 4_000)
    }
  }

  for (
    const [how, fresh] of [['unchanged', () => ({})], ['with a newer version',
      () => ({ version: String(Date.now() * 1_000 + 10_000_000), tags: '' })]] as const
  ) {
    await t.test(`an entry that is restored every second, ${how}, is not used for more than 5 s`, async (t) => {
      const [a, b] = await twoInstances()
      const all = await everything(a)
      for (const { kind, read, before } of all) t.same(await read(a), before, kind)
      const entries = await captured(all.map(({ kind }) => kind))
      for (const { end } of all) await end(a)
      for (let second = 1; second <= 12; second++) {
        await putBack(entries, fresh())
        passed += 1_000
        for (const { kind, read, before, after } of all) {
          const seen = await read(b)
          if (second < 5) t.ok(seen === before || seen === after)
          else t.same(seen, after, `${kind}, ${second} s later`)
        }
      }
    })
  }

  await t.test('an entry that is copied to another name is not used there', async (t) => {
    const [a, b] = await twoInstances()
    const [own, other] = [await a.sources.create(aSource()), await a.sources.create(aSource())]
    await a.sources.resolve(own.pipelineKey)
    const [[first, members] = ['', {}]] = await captured(['source'])
    await direct.del(first)
    await a.sources.update('org-a', other.id, { name: 'Looked up again' })
    passed += 1_000
    await a.sources.resolve(other.pipelineKey)
    const [[second] = ['']] = await captured(['source'])
    t.not(second, first)
    await direct.hset(second, members)
    t.equal((await b.sources.resolve(other.pipelineKey))?.source.id, other.id)
  })

  await t.test('a used nonce stays used when everything in Redis is deleted', async (t) => {
    const [a, b] = await twoInstances()
    t.equal(await a.claim('embed-nonce:1', 60_000), true)
    await direct.flushall()
    t.same([await a.claim('embed-nonce:1', 60_000), await b.claim('embed-nonce:1', 60_000)], [false, false])
  })

  await t.test('an invalid entry or message causes a look-up in the database and no error', async (t) => {
    const [a, b] = await twoInstances()
    const { pipelineKey, id } = await a.sources.create(aSource())
    await a.sources.resolve(pipelineKey)
    const [[name, members] = ['', {}]] = await captured(['source'])
    for (
      const nonsense of [{ version: 'x' }, { version: '-1' }, { data: '' }, { data: 'v1.a.b.c' }, {
        data: `${members.data}x`
      }, { version: '1e400' }]
    ) {
      await putBack([[name, members]], nonsense)
      passed += 1_000
      t.equal((await b.sources.resolve(pipelineKey))?.source.id, id, JSON.stringify(nonsense))
    }
    await direct.del(name)
    await direct.hset(name, 'version', '1')
    passed += 1_000
    t.equal((await b.sources.resolve(pipelineKey))?.source.id, id, 'half an entry')
    for (const message of ['', '{}', '["x","source","' + id + '"]', '["x","user",5]']) {
      await direct.publish('{gatehouse}:changes', message)
    }
    t.equal((await b.sources.resolve(pipelineKey))?.source.id, id)
  })
})
