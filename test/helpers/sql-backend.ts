import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../plugins/database/open-database.js'
import type { Database } from '../../plugins/database/open-database.js'
import { sqlSink } from '../../plugins/event-sink/sql.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import type { SqlStoreOptions } from '../../plugins/token-store/sql/index.js'
import type { Backend, BackendOptions, SqlKind } from './backend.js'
import { truncateAll } from './pglite.js'
import { newSchema, privatePostgres } from './postgres.js'
import type { PrivatePostgres } from './postgres.js'

/** Tables for one app at a time. */
interface Place {
  database: Database
  /** What its store is given beside its keys and the clock. */
  options: Partial<SqlStoreOptions>
}

const secretsKeys = ['a key that seals what these tests store']
/** The places of this process that no test uses just now; it opens more only for tests that run several apps. */
const spare: Place[] = []

/** An empty SQL store and sink, whose tables another test may get after this one. */
export async function sqlBackend (test: Pick<Test, 'teardown'>, kind: SqlKind, clock: BackendOptions): Promise<Backend> {
  const place = spare.pop() ?? await openPlace(kind)
  test.teardown(() => { spare.push(place) })
  const { database, options } = place
  await truncateAll(database)
  const [store, sink] = [sqlStore(database, { secretsKeys, ...options, ...clock }), await sqlSink(database, clock)]
  // For the tests that have no app to do it.
  test.teardown(async () => { await Promise.all([store.close(), sink.close()]) })
  return { store, sink }
}

async function openPlace (kind: SqlKind): Promise<Place> {
  const database = await openDatabase(kind === 'pglite' ? { memory: true } : { url: await newSchema(await serverUrl(), t) })
  t.teardown(() => database.close())
  return { database, options: kind === 'redis' ? await withRedis(database) : {} }
}

/** What makes a store on that database share Redis with others. */
async function withRedis (_database: Database): Promise<Partial<SqlStoreOptions>> {
  throw new Error('the tests of routes do not run with Redis yet')
}

/** The one server that all tests of this process use. */
let server: Promise<PrivatePostgres | null> | undefined

async function serverUrl (): Promise<string> {
  const postgres = await (server ??= privatePostgres(t))
  if (postgres === null) throw new Error('there is no PostgreSQL to run these tests on')
  return postgres.url
}
