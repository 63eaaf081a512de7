import Fastify from 'fastify'
import t from 'tap'

import csrf from '../../../plugins/csrf/index.js'
import { openRedis } from '../../../lib/redis/open-redis.js'
import { sharedLimits } from '../../../lib/redis/shared-limits.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { privateRedis } from '../../helpers/redis.js'

const KEY = 'csrf-k3y-0123456789-abcdefghijklmnopqrst'

t.test('two registrations count their token routes separately when instances share a counter in Redis', async (t) => {
  const redis = await privateRedis(t)
  if (redis === null) return
  // A busy machine can delay a response, and each instance would then count locally.
  const opened = await Promise.all(
    [0, 1].map(() => openRedis({ url: redis.url, prefix: redis.prefix, commandTimeout: 4_000 }))
  )
  const apps = await Promise.all(opened.map(async ({ link }) => {
    const app = Fastify()
    await app.register(tokenStore, { store: { ...memoryStore(), sharedLimits: sharedLimits(link) } })
    for (const name of ['a', 'b']) {
      await app.register(async (scope) => {
        await scope.register(csrf, {
          key: KEY,
          sessionOf: () => null,
          tokenPath: `/${name}-token`,
          cookie: { name },
          rateLimit: { max: 2, timeWindow: 60_000 }
        })
      })
    }
    return app
  }))
  t.teardown(async () => {
    await Promise.all(apps.map((app) => app.close()))
    await Promise.all(opened.map(({ close }) => close()))
  })
  for (const name of ['a', 'b']) {
    const statuses: number[] = []
    for (const app of [...apps, ...apps]) statuses.push((await app.inject(`/${name}-token`)).statusCode)
    t.same(statuses, [200, 200, 429, 429], name)
  }
})
