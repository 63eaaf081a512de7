import t from 'tap'

import { LookupCache } from '../../lib/lookup-cache.js'
import type { LookupCacheOptions } from '../../lib/lookup-cache.js'
import { manualClock } from '../../conformance/clocks.js'

interface Thing {
  id: string
  endsAt?: number
}

/** A backend that resolves when the test calls `answer`, and a cache in front of it. */
function cached (options: Partial<LookupCacheOptions<Thing>> = {}) {
  const clock = manualClock(0)
  const waiting: Array<{ key: string, answer: (thing: Thing | null) => void, fail: (error: Error) => void }> = []
  const cache = new LookupCache<Thing>({
    load: (key) =>
      new Promise((resolve, reject) => {
        waiting.push({ key, answer: resolve, fail: reject })
      }),
    now: clock.now,
    ...options
  })

  /** Starts a look-up; resolves once the backend has been called. */
  async function ask (key: string) {
    const result = Promise.resolve(cache.get(key))
    // The test handles a rejection later; until then it must not count as unhandled.
    result.catch(() => {})
    await null
    await null
    return result.then((value) => ({ value }), (error: Error) => ({ error }))
  }

  async function fill (key: string, thing: Thing | null) {
    const result = cache.get(key)
    await null
    waiting.pop()?.answer(thing)
    await result
  }

  return { clock, waiting, cache, ask, fill }
}

t.test('a value is returned immediately until its time to live has passed, then looked up again', async (t) => {
  const { cache, clock, waiting, fill } = cached({ ttl: 1_000 })
  const thing = { id: 'a' }
  await fill('a', thing)
  t.equal(cache.get('a'), thing)
  await clock.advance(999)
  t.equal(cache.get('a'), thing)
  await clock.advance(1)
  t.equal(cache.peek('a'), undefined)
  const again = cache.get('a')
  t.ok(again instanceof Promise)
  await null
  waiting.pop()?.answer(null)
  t.equal(await again, null)
  t.equal(cache.get('a'), null, 'the removed value is null')
})

t.test('the age of a value counts from the start of its look-up', async (t) => {
  const { cache, clock, waiting } = cached({ ttl: 1_000 })
  const result = cache.get('a')
  await null
  await clock.advance(900)
  waiting.pop()?.answer({ id: 'a' })
  await result
  t.not(cache.peek('a'), undefined)
  await clock.advance(100)
  t.equal(cache.peek('a'), undefined)
})

t.test('concurrent misses of one key share one look-up, and different keys do not', async (t) => {
  const { cache, waiting } = cached()
  const results = [cache.get('a'), cache.get('a'), cache.get('b'), cache.get('a')]
  await null
  t.same(waiting.map(({ key }) => key), ['a', 'b'])
  for (const { key, answer } of waiting) answer({ id: key })
  t.same((await Promise.all(results)).map((thing) => thing?.id), ['a', 'a', 'b', 'a'])
})

t.test('a miss is cached for its own time to live', async (t) => {
  const { cache, clock, fill } = cached({ ttl: 1_000, missTtl: 5_000 })
  await fill('a', null)
  t.equal(cache.get('a'), null)
  await clock.advance(4_999)
  t.equal(cache.get('a'), null)
  await clock.advance(1)
  t.equal(cache.peek('a'), undefined)
})

t.test('a flood of unknown keys is bounded and evicts no value', async (t) => {
  const { cache, fill } = cached({ maxValues: 2, maxMisses: 3 })
  await fill('good', { id: 'good' })
  for (let at = 0; at < 50; at++) await fill(`guess-${at}`, null)
  t.not(cache.peek('good'), undefined)
  const remembered = Array.from({ length: 50 }, (_, at) => cache.peek(`guess-${at}`)).filter((known) => known === null)
  t.equal(remembered.length, 3)
  for (const key of ['b', 'c']) await fill(key, { id: key })
  t.equal(cache.peek('good'), undefined, 'values are bounded as well')
})

const forgetting: Array<[string, (cache: LookupCache<Thing>) => void]> = [
  ['invalidate', (cache) => cache.invalidate('a')],
  ['invalidateWhere', (cache) => cache.invalidateWhere(({ id }) => id === 'a')],
  ['clear', (cache) => cache.clear()]
]
for (const [name, forget] of forgetting) {
  t.test(`a look-up in flight at ${name} is not cached, and a later call starts a new look-up`, async (t) => {
    const { cache, waiting } = cached()
    const before = cache.get('a')
    await null
    forget(cache)
    const after = cache.get('a')
    await null
    t.equal(waiting.length, 2)
    waiting[1]?.answer({ id: 'new' })
    t.equal((await after)?.id, 'new')
    waiting[0]?.answer({ id: 'stale' })
    t.equal((await before)?.id, 'stale', 'a call before the change returns the old value')
    t.same(cache.get('a'), { id: 'new' })
  })

  t.test(`a stale result that arrives first is not cached after ${name}`, async (t) => {
    const { cache, waiting } = cached()
    const before = cache.get('a')
    await null
    forget(cache)
    waiting[0]?.answer({ id: 'stale' })
    await before
    t.equal(cache.peek('a'), undefined)
  })

  t.test(`${name} removes a cached value`, async (t) => {
    const { cache, fill } = cached()
    await fill('a', { id: 'a' })
    await fill('b', { id: 'b' })
    forget(cache)
    t.equal(cache.peek('a'), undefined)
    t.equal(cache.peek('b') === undefined, name === 'clear')
  })
}

t.test('a cached miss is removed by its key', async (t) => {
  const { cache, fill } = cached()
  await fill('a', null)
  cache.invalidateWhere(() => true)
  t.equal(cache.peek('a'), null)
  cache.invalidate('a')
  t.equal(cache.peek('a'), undefined)
})

t.test('a failed look-up rejects for all waiting callers and is not cached', async (t) => {
  const { waiting, ask } = cached()
  const [one, two] = [ask('a'), ask('a')]
  await null
  t.equal(waiting.length, 1)
  waiting[0]?.fail(new Error('away'))
  for (const result of [await one, await two]) t.match(result, { error: { message: 'away' } })
  const third = ask('a')
  await null
  t.equal(waiting.length, 2)
  waiting[1]?.answer({ id: 'a' })
  t.match(await third, { value: { id: 'a' } })
})

t.test('a look-up that throws synchronously fails, and the next call starts a new look-up', async (t) => {
  let calls = 0
  const cache = new LookupCache<Thing>({
    load () {
      calls++
      throw new Error('broken')
    }
  })
  await t.rejects(Promise.resolve(cache.get('a')), { message: 'broken' })
  await t.rejects(Promise.resolve(cache.get('a')), { message: 'broken' })
  t.equal(calls, 2)
})

t.test('while the backend is unavailable a value is returned up to the limit, and no invalidated ' +
  'or missing value', async (t) => {
  const { cache, clock, waiting, ask, fill } = cached({ ttl: 1_000, limit: 5_000 })
  await fill('a', { id: 'a' })
  await fill('gone', { id: 'gone' })
  cache.invalidate('gone')

  async function askInVain (key: string) {
    const result = ask(key)
    await null
    waiting.pop()?.fail(new Error('away'))
    return await result
  }

  await clock.advance(1_000)
  t.match(await askInVain('a'), { value: { id: 'a' } })
  t.match(await askInVain('gone'), { error: { message: 'away' } })
  t.match(await askInVain('unknown'), { error: { message: 'away' } })
  await clock.advance(3_999)
  t.match(await askInVain('a'), { value: { id: 'a' } })
  await clock.advance(1)
  t.match(await askInVain('a'), { error: { message: 'away' } })
})

t.test('a value that is invalidated while its look-up fails is not served', async (t) => {
  const { cache, clock, waiting, ask, fill } = cached()
  await fill('a', { id: 'a' })
  await clock.advance(1_000)
  const result = ask('a')
  await null
  cache.invalidate('a')
  waiting.pop()?.fail(new Error('away'))
  t.match(await result, { error: { message: 'away' } })
})

t.test('a value expires at its own end before the time to live, also while the backend is unavailable', async (t) => {
  const { cache, clock, waiting, ask, fill } = cached({ ttl: 1_000, endsAt: ({ endsAt }) => endsAt ?? Infinity })
  await fill('a', { id: 'a', endsAt: 500 })
  await clock.advance(499)
  t.not(cache.peek('a'), undefined)
  await clock.advance(1)
  t.equal(cache.peek('a'), undefined)
  const result = ask('a')
  await null
  waiting.pop()?.fail(new Error('away'))
  t.match(await result, { error: { message: 'away' } })
})

t.test('a time to live above five seconds is refused, and zero disables the cache', async (t) => {
  for (const bad of [5_001, -1, NaN, Infinity]) {
    for (const name of ['ttl', 'missTtl', 'limit']) {
      t.throws(() => cached({ [name]: bad }), { message: `lookup cache: "${name}" must be 0 to 5000 milliseconds` })
    }
  }
  const { cache, waiting, ask, fill } = cached({ ttl: 0 })
  await fill('a', { id: 'a' })
  t.equal(cache.peek('a'), undefined, 'zero caches no value')
  const result = ask('a')
  await null
  waiting.pop()?.fail(new Error('away'))
  t.match(await result, { error: { message: 'away' } }, 'no old value is returned')
})

t.test('getMany is synchronous if all keys are cached, and looks up the missing keys together', async (t) => {
  const asked: Array<readonly string[]> = []
  const { cache, ask, fill, waiting } = cached({
    loadMany: async (keys) => {
      asked.push(keys)
      return keys.map((key) => key === 'none' ? null : { id: key })
    }
  })
  const known = { id: 'known' }
  await fill('known', known)
  const alone = ask('alone')
  const many = cache.getMany(['a', 'known', 'none', 'alone', 'a', 'b'])
  t.ok(many instanceof Promise)
  await null
  waiting[0]?.answer({ id: 'alone' })
  t.same(await many, [{ id: 'a' }, known, null, { id: 'alone' }, { id: 'a' }, { id: 'b' }])
  t.same(await alone, { value: { id: 'alone' } })
  t.same(asked, [['a', 'none', 'b']])
  t.same(cache.getMany(['b', 'none', 'known']), [{ id: 'b' }, null, known])
  t.same(cache.getMany([]), [])
  t.equal(cache.get('a'), (await many)[0])
  t.equal(waiting.length, 1, 'the single key was looked up once')
})

t.test('a failed look-up of several keys is not cached, and a key that changed meanwhile is not cached', async (t) => {
  const waiting: Array<{ answer: (things: Thing[]) => void, fail: (error: Error) => void }> = []
  const { cache } = cached({
    loadMany: () =>
      new Promise((resolve, reject) => {
        waiting.push({ answer: resolve, fail: reject })
      })
  })
  const failing = Promise.resolve(cache.getMany(['a', 'b']))
  await null
  waiting.pop()?.fail(new Error('away'))
  await t.rejects(failing, { message: 'away' })
  const changing = cache.getMany(['a', 'b'])
  await null
  cache.invalidate('a')
  waiting.pop()?.answer([{ id: 'old' }, { id: 'b' }])
  t.same(await changing, [{ id: 'old' }, { id: 'b' }])
  t.same([cache.peek('a'), cache.peek('b')], [undefined, { id: 'b' }])
})
