import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../lib/database/open-database.js'
import type { Database } from '../../lib/database/open-database.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import { openRedis } from '../../lib/redis/open-redis.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import type { SqlStoreOptions } from '../../plugins/token-store/sql/index.js'
import type { Backend, BackendOptions, SqlKind } from './backend.js'
import { truncateAll } from './pglite.js'
import { newSchema, privatePostgres } from './postgres.js'
import type { PrivatePostgres } from './postgres.js'
import { privateRedis } from './redis.js'
import type { PrivateRedis } from './redis.js'

const secretsKeys = ['a key that seals what these tests store']
/** The databases of this process that no test uses just now; it opens more only for tests that run several apps. */
const spare: Database[] = []

/** An empty SQL store and sink, whose tables another test may get after this one. */
export async function sqlBackend (
  test: Pick<Test, 'teardown'>,
  kind: SqlKind,
  clock: BackendOptions
): Promise<Backend> {
  const database = spare.pop() ?? await open(kind)
  test.teardown(() => {
    spare.push(database)
  })
  await truncateAll(database)
  const more = kind === 'redis' ? await withRedis(test) : {}
  const [store, sink] = [sqlStore(database, { secretsKeys, ...more, ...clock }), await sqlSink(database, clock)]
  // For the tests that have no app to do it.
  test.teardown(async () => {
    await Promise.all([store.close(), sink.close()])
  })
  return { store, sink }
}

async function open (kind: SqlKind): Promise<Database> {
  const database = await openDatabase(
    kind === 'pglite' ? { memory: true } : { url: await newSchema(await serverUrl(), t) }
  )
  t.teardown(() => database.close())
  return database
}

/** The servers that all tests of this process use. */
let server: Promise<PrivatePostgres | null> | undefined
let redis: Promise<PrivateRedis | null> | undefined

/** What makes a store share Redis, with nobody: the look-ups of the test before are of other rows. */
async function withRedis (test: Pick<Test, 'teardown'>): Promise<Pick<SqlStoreOptions, 'redis'>> {
  const started = await (redis ??= privateRedis(t))
  if (started === null) throw new Error('there is no Redis to run these tests with')
  const { link, close } = await openRedis({ url: started.url, prefix: `{${randomUUID()}}:` })
  test.teardown(close)
  return { redis: link }
}

async function serverUrl (): Promise<string> {
  const postgres = await (server ??= privatePostgres(t))
  if (postgres === null) throw new Error('there is no PostgreSQL to run these tests on')
  return postgres.url
}
