import { randomBytes } from 'node:crypto'

import { Redis } from 'ioredis'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import { openRedis } from '../../../lib/redis/open-redis.js'
import type { OpenRedisOptions } from '../../../lib/redis/open-redis.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import type { SqlStoreOptions } from '../../../plugins/token-store/sql/index.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { manualClock, systemClock } from '../../../conformance/clocks.js'
import { sharedTokenStoreContract } from '../../../conformance/shared-token-store/index.js'
import { tokenStoreContract } from '../../../conformance/token-store/index.js'
import { aKey, aRevocation, aSession, aSource, aUser } from '../../../conformance/token-store/fixtures.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { truncateAll } from '../../helpers/pglite.js'
import { privatePostgres } from '../../helpers/postgres.js'
import { privateRedis } from '../../helpers/redis.js'
import { until } from '../../helpers/until.js'

const secretsKeys = ['a key that seals what this test file stores']
/** The longest cacheTtl, so that only a message can make a change visible earlier. */
const TOLD_ONLY = { cacheTtl: 5_000 }

t.test('the SQL store passes its tests on PostgreSQL and Redis', async (t) => {
  const [postgres, redis] = [await privatePostgres(t), await privateRedis(t, { needsOwn: true })]
  if (postgres === null || redis === null) return
  const database = await openDatabase({ url: postgres.url })
  t.teardown(() => database.close())
  const direct = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  direct.on('error', () => {})
  t.teardown(() => direct.disconnect())

  async function instance (
    t: Test,
    options: Partial<SqlStoreOptions> = {},
    redisOptions: Partial<OpenRedisOptions> = {}
  ): Promise<TokenStore> {
    const { link, close } = await openRedis({ url: redis?.url ?? '', ...redisOptions })
    const store = sqlStore(database, { secretsKeys, redis: link, ...options })
    t.teardown(async () => {
      await store.close()
      await close()
    })
    return store
  }

  async function instances (t: Test, options?: Partial<SqlStoreOptions>): Promise<[TokenStore, TokenStore]> {
    await truncateAll(database)
    await direct.flushall()
    return [await instance(t, options), await instance(t, options)]
  }

  await t.test('the SQL store behind Redis keeps the contract', async (t) => {
    const { link, close } = await openRedis({ url: redis.url })
    t.teardown(close)
    let store: TokenStore | undefined
    await tokenStoreContract(t, async ({ now }) => {
      await store?.close()
      await truncateAll(database)
      return (store = sqlStore(database, { secretsKeys, redis: link, now }))
    }, () => manualClock())
  })

  await t.test('two instances behind Redis keep the shared contract', async (t) => {
    await sharedTokenStoreContract(t, () => instances(t), { rounds: 2 })
  })

  await t.test('a change on one instance reaches the other by a message, long before its cache expires', async (t) => {
    const [a, b] = await instances(t, TOLD_ONLY)
    const user = await aUser(a)
    const [session, another] = [aSession(user.id, systemClock()), aSession(user.id, systemClock())]
    await a.sessions.start(session)
    await a.sessions.start(another)
    const { id, pipelineKey } = await a.sources.create(aSource())
    const next = aKey()
    const token = {
      token: crypto.randomUUID(),
      clientId: 'client',
      mintedAt: Date.now(),
      expiresAt: Date.now() + 60_000
    }
    await a.guestTokens.set('digest', token)
    t.equal((await b.sources.resolve(pipelineKey))?.source.id, id)
    t.equal((await b.sources.origins()).length, 1)
    t.equal(await b.sources.resolve(next), null)
    t.equal((await b.sessions.access(session.id))?.role, 'admin')
    t.equal((await b.sessions.access(another.id))?.role, 'admin')
    t.same(await b.guestTokens.get('digest'), token)
    t.equal(await b.revocations.cutoff('org-a', 'user', 'user-1'), 0)

    await a.sources.update('org-a', id, { domains: ['https://other.example.com'] })
    await until('the domain', async () => (await b.sources.origins())[0]?.domains[0] === 'https://other.example.com')
    await a.sources.rotateKey('org-a', id, { pipelineKey: next, overlapUntil: 0 })
    await until('the old key', async () => await b.sources.resolve(pipelineKey) === null)
    await until('the new key, tried before', async () => (await b.sources.resolve(next))?.source.id === id)
    await a.members.update('org-a', user.id, { role: 'viewer' })
    await until('the role', async () => (await b.sessions.access(session.id))?.role === 'viewer')
    await a.sessions.end(session.id)
    await until('the session', async () => await b.sessions.access(session.id) === null)
    await a.sessions.endAll(user.id)
    await until('all sessions', async () => await b.sessions.access(another.id) === null)
    await a.guestTokens.invalidate({ clientId: 'client' })
    await until('the guest token', async () => await b.guestTokens.get('digest') === null)
    const { id: revocation } = await a.revocations.revoke(aRevocation({ before: 5_000 }))
    await until('the revocation', async () => await b.revocations.cutoff('org-a', 'user', 'user-1') === 5_000)
    await a.revocations.lift('org-a', revocation)
    await until('its end', async () => await b.revocations.cutoff('org-a', 'user', 'user-1') === 0)
  })

  await t.test('an instance reads a value from Redis that another instance has looked up, unchanged ' +
    'and frozen', async (t) => {
    const [a, b] = await instances(t)
    const { pipelineKey } = await a.sources.create(aSource())
    const looked = await a.sources.resolve(pipelineKey)
    await until('the entry in Redis', async () => (await direct.keys('*source:*')).length === 1)
    const [kept = ''] = await direct.keys('*source:*')
    t.ok(await direct.pttl(kept) <= 5_000, 'for 5 s at most')
    // No message announces this change.
    await database.db.updateTable('sources').set({ name: 'Changed behind its back' }).execute()
    const taken = await b.sources.resolve(pipelineKey)
    t.same(taken, looked)
    t.ok(Object.isFrozen(taken) && Object.isFrozen(taken?.source.domains))
    await until(
      'the change without a message',
      async () => (await b.sources.resolve(pipelineKey))?.source.name === 'Changed behind its back'
    )
  })

  await t.test('Redis contains no secret or id in plain text, and a value sealed for another entry is ' +
    'not used', async (t) => {
    const [a, b] = await instances(t)
    const serverSecret = randomBytes(32).toString('base64url')
    const { pipelineKey, id } = await a.sources.create(aSource({ serverSecret }))
    const token = {
      token: crypto.randomUUID(),
      clientId: 'client-with-a-name',
      mintedAt: Date.now(),
      expiresAt: Date.now() + 60_000
    }
    await a.guestTokens.set('digest', token)
    await a.sources.resolve(pipelineKey)
    await a.guestTokens.get('digest')
    await until(
      'both entries in Redis',
      async () => (await direct.keys('*')).filter((name) => /:(?:source|guest):/.test(name)).length === 2
    )
    const names = await direct.keys('*')
    const entries = names.filter((name) => /:(?:source|guest):/.test(name))
    const text = JSON.stringify([names, await Promise.all(entries.map((name) => direct.hgetall(name)))])
    for (const secret of [serverSecret, pipelineKey, id, token.token, token.clientId]) t.notOk(text.includes(secret))

    const [source, guest] = [entries.find((name) => name.includes(':source:')) ?? '',
      entries.find((name) => name.includes(':guest:')) ?? '']
    await direct.hset(source, 'data', await direct.hget(guest, 'data') ?? '')
    t.equal((await b.sources.resolve(pipelineKey))?.source.id, id)
  })

  await t.test('a change whose message was lost takes effect when the connection is back', async (t) => {
    const [a, b] = await instances(t, TOLD_ONLY)
    const { pipelineKey, id } = await a.sources.create(aSource())
    await b.sources.resolve(pipelineKey)
    await direct.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await a.sources.delete('org-a', id)
    await until('the deletion', async () => await b.sources.resolve(pipelineKey) === null)
  })

  await t.test('without Redis values are looked up in the database, and no look-up waits for Redis', async (t) => {
    const told: string[] = []
    await truncateAll(database)
    // A command without a response times out when the test runs the timer.
    const limit = holdTimers(t, 3_999)
    const store = await instance(t, {}, {
      commandTimeout: 3_999,
      onAway: (error) => told.push(error.message),
      onBack: () => told.push('back')
    })
    const { pipelineKey, id } = await store.sources.create(aSource())
    for (
      const [away, back] of [[redis.kill, redis.start], [async () => redis.pause(),
        async () => redis.resume()]] as const
    ) {
      await away()
      const unanswered = store.sources.resolve(aKey())
      await until('the outage', async () => {
        limit.run()
        return told.length === 1
      })
      t.equal(await unanswered, null)
      for (let turn = 0; turn < 20; turn++) t.equal(await store.sources.resolve(aKey()), null)
      t.equal((await store.sources.resolve(pipelineKey))?.source.id, id)
      t.equal(told.length, 1, 'one warning')
      await back()
      await until('the recovery', async () => {
        await store.sources.resolve(aKey())
        return told.at(-1) === 'back'
      })
      told.length = 0
    }
  })

  await t.test('limits are counted together over two instances, and are null while Redis is down', async (t) => {
    const [a, b] = await instances(t)
    t.match(await a.sharedLimits?.count('address', 60_000), { current: 1 })
    const second = await b.sharedLimits?.count('address', 60_000)
    t.equal(second?.current, 2)
    t.ok(second !== null && second !== undefined && second.ttl > 50_000 && second.ttl <= 60_000)
    t.equal((await b.sharedLimits?.count('another', 60_000))?.current, 1)
    await a.sharedLimits?.count('short', 50)
    await until('the window ends', async () => (await b.sharedLimits?.count('short', 50))?.current === 1)
    t.equal(await a.sharedLimits?.debit('source', 30, 100), 70)
    const level = await b.sharedLimits?.debit('source', 130, 100)
    t.ok(level !== null && level !== undefined && level >= -60 && level < 0, 'a batch can leave a debt')
    await redis.kill()
    t.equal(await a.sharedLimits?.count('address', 60_000), null)
    t.equal(await a.sharedLimits?.debit('source', 1, 100), null)
    await redis.start()
  })
})
