import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { openRedis } from '../../../lib/redis/open-redis.js'
import { RedisScript } from '../../../lib/redis/script.js'
import { Changes } from '../../../plugins/token-store/redis/changes.js'
import { FILL, READ } from '../../../plugins/token-store/redis/scripts.js'
import { CLOCK, SharedCache, tagKey } from '../../../plugins/token-store/redis/shared-cache.js'
import type { SharedKind } from '../../../plugins/token-store/redis/shared-cache.js'
import { secretBox } from '../../../signing/secret-box.js'
import { privateRedis } from '../../helpers/redis.js'

interface Thing {
  id: string
  owner: string
}

const kind: SharedKind<Thing> = {
  name: 'thing',
  tagsOf: ({ owner }) => [`user ${owner}`],
  encode: JSON.stringify,
  decode: (text) => JSON.parse(text)
}
const thing = (owner: string): Thing => ({ id: crypto.randomUUID(), owner })

t.test('look-ups are shared in Redis', async (t) => {
  const redis = await privateRedis(t)
  if (redis === null) return
  const { link, close } = await openRedis({ url: redis.url, prefix: redis.prefix })
  t.teardown(close)
  const box = secretBox(['a key that seals what this test file stores'])
  const cache = new SharedCache(link, box)
  const changes = new Changes(link)
  const settled = () => sleep(20)

  await t.test('a value is looked up once, and ageOf returns its age', async (t) => {
    const value = thing('ann')
    const start = performance.now()
    let loads = 0
    const get = cache.wrap(kind, async () => {
      loads++
      return value
    })
    t.equal(await get('once'), value)
    t.equal(cache.ageOf(value), 0)
    await settled()
    const again = await get('once')
    t.same([again, loads], [value, 1])
    const age = cache.ageOf(again ?? {})
    const passed = Math.ceil(performance.now() - start)
    t.ok(age >= 15 && age <= passed + 1, `${age} ms, ${passed} ms after it was asked for`)
  })

  await t.test('a look-up in flight while its value is revoked is not stored', async (t) => {
    const lookups: Array<(value: Thing) => void> = []
    const answer = cache.wrap(kind, () =>
      new Promise<Thing>((resolve) => {
        lookups.push(resolve)
      }))('in flight')
    while (lookups.length === 0) await sleep(5)
    changes.announce(['user', 'bob'], ['user bob'])
    await settled()
    lookups[0]?.(thing('bob'))
    await answer
    await settled()
    t.equal(await cache.wrap(kind, async () => null)('in flight'), null, 'the value is looked up again')
  })

  await t.test('a value that reaches Redis after its lifetime is not stored', async (t) => {
    const versionOf = (age: number) => String((Date.now() - age) * 1_000)
    const kept = async (age: number) => {
      const name = crypto.randomUUID()
      await link.run(FILL, [name, tagKey('user ann')], [versionOf(age), 400_000, 1, 'a value'])
      return await link.run(READ, [CLOCK, name], [400_000]) as [now: string,
        entry: [version: string, data: string, left: number] | null]
    }
    t.match(await kept(500_000), [String, null])
    const [, entry] = await kept(100_000)
    const [, data, left = 0] = entry ?? []
    t.equal(data, 'a value')
    t.ok(left > 200_000 && left <= 300_000, `${left} ms left`)
  })

  await t.test('a revoked value does not return when the clock of Redis is set back', async (t) => {
    const ahead = (Date.now() + 3_600_000) * 1_000
    const early = crypto.randomUUID()
    // One look-up starts and another is stored before the clock is set back.
    await link.run(new RedisScript("return redis.call('SET', KEYS[1], ARGV[1])"), [CLOCK], [ahead])
    const [version] = await link.run(READ, [CLOCK, early], [4_000]) as [string]
    changes.announce(['user', 'ina'], ['user ina'])
    await changes.settled()
    t.equal(await link.run(FILL, [early, tagKey('user ina')], [version, 3_700_000, 1, 'old']), 0)
    const long = crypto.randomUUID()
    await link.run(
      new RedisScript(
        "redis.call('HSET', KEYS[1], 'version', ARGV[1], 'tags', '', 'data', 'old') return redis.call('PEXPIRE', " +
          'KEYS[1], 3600000)'
      ),
      [long],
      [ahead]
    )
    t.match(await link.run(READ, [CLOCK, long], [4_000]), [String, null], 'an entry beyond the longest lifetime')
    await link.run(new RedisScript("return redis.call('DEL', KEYS[1])"), [CLOCK], [])
  })

  await t.test('a revocation removes the stored values of its subject, and values of other ' +
    'subjects stay', async (t) => {
    await cache.wrap(kind, async () => thing('carl'))('of carl')
    await cache.wrap(kind, async () => thing('dora'))('of dora')
    await settled()
    changes.announce(['user', 'carl'], ['user carl'])
    await settled()
    t.equal(await cache.wrap(kind, async () => null)('of carl'), null)
    t.equal((await cache.wrap(kind, async () => null)('of dora'))?.owner, 'dora')
  })

  await t.test('a value is not returned after its own end', async (t) => {
    const mortal = { ...kind, endsAt: () => 1_000 }
    await cache.wrap(mortal, async () => thing('finn'))('mortal')
    await settled()
    t.equal(await cache.wrap(mortal, async () => null)('mortal'), null)
  })

  await t.test('a miss is not stored, and a failed look-up rejects', async (t) => {
    t.equal(await cache.wrap(kind, async () => null)('missing'), null)
    await settled()
    t.equal((await cache.wrap(kind, async () => thing('eve'))('missing'))?.owner, 'eve')
    await t.rejects(
      cache.wrap(kind, async () => {
        throw new Error('the database is away')
      })('failing'),
      /the database is away/
    )
  })

  await t.test('several keys are read and looked up together, and only a changed key is looked up again', async (t) => {
    const asked: Array<readonly string[]> = []
    const get = cache.wrapMany(kind, async (keys) => {
      asked.push(keys)
      return keys.map((key) => key === 'none' ? null : { id: key, owner: `owner of ${key}` })
    })
    const owners = async (keys: readonly string[]) => (await get(keys)).map((value) => value?.owner ?? null)
    t.same(await owners(['x', 'none', 'y']), ['owner of x', null, 'owner of y'])
    await settled()
    t.same(await owners(['y', 'none', 'z', 'x']), ['owner of y', null, 'owner of z', 'owner of x'])
    changes.announce(['user', 'y'], ['user owner of y'])
    await settled()
    t.same(await owners(['x', 'y', 'z']), ['owner of x', 'owner of y', 'owner of z'])
    t.same(asked, [['x', 'none', 'y'], ['none', 'z'], ['y']])
    t.same(
      await cache.wrap(kind, async () => null)('x'),
      { id: 'x', owner: 'owner of x' },
      'a single read uses the same entry'
    )
  })

  await t.test('a stored value is valid on an instance whose clock is up to a second behind, and its age uses both ' +
    'clocks', async (t) => {
    let apart = 0
    const other = new SharedCache(link, box, () => Date.now() + apart)
    await cache.wrap(kind, async () => thing('gail'))('of gail')
    await settled()
    const get = async () => await other.wrap(kind, async () => null)('of gail')
    for (const [ahead, counts] of [[0, true], [-900, true], [-1_200, false], [3_000, true], [4_100, false]] as const) {
      apart = ahead
      const value = await get()
      t.equal(value !== null, counts, `${ahead} ms`)
      if (value !== null) t.ok(other.ageOf(value) >= Math.max(15, ahead) && other.ageOf(value) < 4_000)
    }
  })

  await t.test('a change that Redis did not confirm is announced after Redis recovers', async (t) => {
    if (!redis.ownServer) return
    t.teardown(changes.listen({ onChange: () => {}, onGap: () => {} }))
    await redis.kill()
    changes.announce(['user', 'hank'], ['user hank'])
    await changes.settled()
    await redis.start()
    const marked = new RedisScript("return redis.call('EXISTS', KEYS[1])")
    for (
      const deadline = Date.now() + 60_000; await link.run(marked, [tagKey('user hank')], []) !== 1; await sleep(10)
    ) {
      if (Date.now() > deadline) throw new Error('the change was not announced')
    }
  })

  await t.test('a process ignores its own messages, and reports an unknown message as a gap', async (t) => {
    const heard: string[] = []
    const stop = changes.listen({
      onChange: ([what, id]) => heard.push(`${what} ${id}`),
      onGap: () => heard.push('gap')
    })
    t.teardown(stop)
    while (heard.length === 0) await sleep(5)
    t.same(heard.splice(0), ['gap'], 'changes before the subscription are a gap')
    const other = new Changes(link)
    changes.announce(['user', 'own'], [])
    other.announce(['source', 'a:b\u0000\ud800'], [])
    other.announce(['later' as 'user', 'kind'], [])
    while (heard.length < 2) await sleep(5)
    t.same(heard, ['source a:b\u0000\ud800', 'gap'])
  })
})
