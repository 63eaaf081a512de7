import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'

import { openRedis } from '../../../lib/redis/open-redis.js'
import metrics from '../../../plugins/metrics/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { scraped } from '../../helpers/metrics.js'
import { emptyDatabase } from '../../helpers/pglite.js'
import { privateRedis } from '../../helpers/redis.js'
import { makeSource } from '../../helpers/source.js'

const secretsKeys = ['a key that seals what these tests store']

t.test('a look-up that Redis answers counts as shared', async (t) => {
  const redis = await privateRedis(t)
  if (redis === null) return
  const { link, close } = await openRedis({ url: redis.url, prefix: redis.prefix })
  t.teardown(close)
  const database = await emptyDatabase()
  async function instance (): Promise<FastifyInstance> {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(metrics)
    await app.register(tokenStore, { store: sqlStore(database, { secretsKeys, redis: link }), sweepEvery: 0 })
    return app
  }
  const [first, second] = [await instance(), await instance()]
  // Through a store without Redis, whose change is not announced: an announcement would outdate the look-up.
  const maker = sqlStore(database, { secretsKeys })
  const counted = async (app: FastifyInstance, level: string) =>
    (await scraped(app)).sum('gatehouse_lookups_total', { kind: 'source', level })
  let sources = 0
  // The first values are stored late, as Redis does not have the script yet.
  while (await counted(second, 'shared') === 0 && sources < 20) {
    const { key } = await makeSource(maker)
    await first.tokenStore.sources.resolve(key)
    await second.tokenStore.sources.resolve(key)
    sources++
  }
  t.equal(await counted(first, 'database'), sources)
  t.equal(await counted(second, 'shared'), 1)
  t.equal(await counted(second, 'database'), sources - 1)
})
