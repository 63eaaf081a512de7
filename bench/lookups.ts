// Measures the lookup of a pipeline key in the process, in Redis and in PostgreSQL. Lookups are sequential.
import { openDatabase } from '../lib/database/open-database.js'
import { openRedis } from '../lib/redis/open-redis.js'
import { sqlStore } from '../plugins/token-store/sql/index.js'
import { SOURCE_DEFAULTS } from '../plugins/token-store/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import { generatePipelineKey } from '../signing/datafly/pipeline-key.js'
import { describeHost, withPostgres, withRedis } from './rounds.js'

const KEYS = Number(process.env.KEYS ?? 2_000)
const secretsKeys = ['a key that seals what this bench stores']

async function times (store: TokenStore, keys: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (const key of keys) {
    const start = performance.now()
    const source = await store.sources.resolve(key)
    found.push((performance.now() - start) * 1_000)
    if (source === null) throw new Error('a key is missing')
  }
  return found.sort((one, other) => one - other)
}

function line (level: string, found: readonly number[]): string {
  const at = (share: number) => (found[Math.floor(found.length * share)] ?? NaN).toFixed(1)
  return `| ${[level, at(0.5), at(0.99)].join(' | ')} |`
}

await withPostgres(async (url) =>
  await withRedis(async (redisUrl) => {
    const database = await openDatabase({ url })
    const [writer, reader] = [await openRedis({ url: redisUrl }), await openRedis({ url: redisUrl })]
    const alone = sqlStore(database, { secretsKeys })
    const first = sqlStore(database, { secretsKeys, redis: writer.link })
    const second = sqlStore(database, { secretsKeys, redis: reader.link })
    const keys: string[] = []
    for (let n = 0; n < KEYS; n++) {
      const pipelineKey = generatePipelineKey('live')
      await alone.sources.create({
        orgId: 'bench',
        name: 'bench',
        ...SOURCE_DEFAULTS,
        pipelineKey,
        serverSecret: 'the secret of a source that is measured'
      })
      keys.push(pipelineKey)
    }
    // Warm-up, because code is slow when it first runs.
    await times(sqlStore(database, { secretsKeys }), keys)
    console.log(`${describeHost()}, ${KEYS} keys\n\n| found in | p50 µs | p99 µs |\n| --- | ---: | ---: |`)
    const store = sqlStore(database, { secretsKeys, cacheTtl: 5_000 })
    await times(store, keys)
    console.log(line('the process', await times(store, keys)))
    // In slices, because Redis caches a lookup for 4 s.
    const shared: number[] = []
    for (let at = 0; at < keys.length; at += 200) {
      await times(first, keys.slice(at, at + 200))
      shared.push(...await times(second, keys.slice(at, at + 200)))
    }
    console.log(line('Redis', shared.sort((one, other) => one - other)))
    console.log(line('PostgreSQL', await times(alone, keys)))
    for (const { close } of [writer, reader]) await close()
    await database.close()
  })
)
