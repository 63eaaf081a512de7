import t from 'tap'

import { openRedis } from '../../../lib/redis/open-redis.js'
import { sharedLimits } from '../../../lib/redis/shared-limits.js'
import { EventRate } from '../../../lib/limits/event-rate.js'
import { sharedWindowStore } from '../../../lib/limits/shared-window.js'
import { privateRedis } from '../../helpers/redis.js'

t.test('instances share limits in Redis', async (t) => {
  const redis = await privateRedis(t, { needsOwn: true })
  if (redis === null) return
  const opened = await Promise.all([openRedis({ url: redis.url }), openRedis({ url: redis.url })])
  t.teardown(() => Promise.all(opened.map(({ close }) => close())))
  const [a, b] = opened.map(({ link }) => sharedLimits(link))
  if (a === undefined || b === undefined) return

  await t.test('a window counts the requests of all instances, separately for each name', async (t) => {
    const [Here, There, Another] = [sharedWindowStore(a, 'login-'), sharedWindowStore(b, 'login-'),
      sharedWindowStore(b, 'admin-')]
    const [here, there, another] = [new Here(), new There().child({}), new Another()]
    t.same([await count(here), await count(there), await count(here), await count(another)], [1, 2, 3, 1])
  })

  await t.test('while Redis is unavailable each instance counts separately', async (t) => {
    const Store = sharedWindowStore(a, 'away-')
    const store = new Store()
    t.equal(await count(store), 1)
    await redis.kill()
    t.same([await count(store), await count(store), await count(store)], [1, 2, 3])
    await redis.start()
  })

  await t.test('the events of a source on all instances soon count together', async (t) => {
    const source = { id: crypto.randomUUID(), rateLimit: null }
    const [here, there] = [a, b].map((limits) => new EventRate({ max: 1_000 }, limits.debit))
    if (here === undefined || there === undefined) return
    there.debit(source, 1)
    here.debit(source, 3_000)
    t.ok(here.wait(source) > 0)
    t.equal(there.wait(source), 0)
    for (const deadline = Date.now() + 60_000; there.wait(source) === 0 && Date.now() < deadline;) {
      // A report may be lost while the instances connect to Redis again, and a debt is paid after some seconds.
      here.debit(source, 3_000)
      there.debit(source, 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.ok(there.wait(source) > 0, 'the other instance counts the events')
  })
})

function count (store: { incr: InstanceType<ReturnType<typeof sharedWindowStore>>['incr'] }): Promise<number> {
  return new Promise((resolve) => {
    store.incr('address', (_error, { current }) => resolve(current), 60_000)
  })
}
