import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import type { SqlStoreOptions } from '../../../plugins/token-store/sql/index.js'
import { manualClock } from '../../../conformance/clocks.js'
import { sharedTokenStoreContract } from '../../../conformance/shared-token-store/index.js'
import { tokenStoreContract } from '../../../conformance/token-store/index.js'
import { aKey, aRevocation, aSession, aSource, aUser } from '../../../conformance/token-store/fixtures.js'
import { truncateAll } from '../../helpers/pglite.js'
import { privatePostgres } from '../../helpers/postgres.js'

const secretsKeys = ['a key that seals what this test file stores']

t.test('the SQL store passes its tests on PostgreSQL', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const { url } = postgres
  const databases = [await openDatabase({ url }), await openDatabase({ url })] as const
  t.teardown(async () => {
    for (const database of databases) await database.close()
  })

  /** Two instances of the suite on one empty database. */
  async function twoStores (options: Partial<SqlStoreOptions> = {}) {
    await truncateAll(databases[0])
    const [a, b] = databases.map((database: Database) => sqlStore(database, { secretsKeys, ...options }))
    if (a === undefined || b === undefined) throw new Error('expected two stores')
    return { a, b }
  }

  await t.test('the SQL store keeps the contract', async (t) => {
    await tokenStoreContract(t, async ({ now }) => {
      await truncateAll(databases[0])
      return sqlStore(databases[0], { secretsKeys, now })
    }, () => manualClock())
  })

  await t.test('two instances keep the shared contract', async (t) => {
    await sharedTokenStoreContract(t, async () => {
      const { a, b } = await twoStores()
      return [a, b]
    })
  })

  await crossInstance(t, twoStores, databases)

  if (postgres.ownServer) {
    await t.test('while PostgreSQL is down cached keys work, other calls are UNAVAILABLE, and the store recovers ' +
      'afterwards', async (t) => {
      const clock = manualClock()
      const { a: store } = await twoStores({ now: clock.now })
      const user = await aUser(store)
      const session = aSession(user.id, clock)
      await store.sessions.start(session)
      const { pipelineKey, id } = await store.sources.create(aSource())
      await store.sources.resolve(pipelineKey)
      await store.sessions.access(session.id)
      await store.revocations.revoke(aRevocation({ before: 5_000 }))
      await store.revocations.cutoff('org-a', 'user', 'user-1')
      await postgres.stop()
      await clock.advance(2_000)
      t.equal(
        (await store.sources.resolve(pipelineKey))?.source.id,
        id,
        'a cached value is served beyond its time to live'
      )
      t.equal((await store.sessions.access(session.id))?.userId, user.id)
      t.equal(await store.revocations.cutoff('org-a', 'user', 'user-1'), 5_000)
      const rotation = {
        sessionId: session.id,
        presented: 'digest-1',
        next: 'digest-2',
        grace: 0,
        sealedSuccessor: null
      }
      const attempts: Array<() => Promise<unknown>> = [
        async () => await store.sources.resolve(aKey()),
        async () => await store.sources.create(aSource()),
        async () => await store.revocations.cutoff('org-a', 'user', 'never asked for'),
        async () => await store.revocations.revoke(aRevocation()),
        async () => await store.sessions.rotate(rotation),
        async () => await store.claim('nonce', 1_000),
        async () => await store.sweep({ auditRetention: 1_000 }),
        async () => await store.ready()
      ]
      for (const attempt of attempts) await t.rejects(attempt(), { code: 'UNAVAILABLE', statusCode: 503 })
      await clock.advance(3_000)
      await t.rejects(
        async () => await store.sources.resolve(pipelineKey),
        { code: 'UNAVAILABLE' },
        'a value older than 5 s is not served'
      )
      await t.rejects(async () => await store.revocations.cutoff('org-a', 'user', 'user-1'), { code: 'UNAVAILABLE' })

      await postgres.start()
      t.equal((await store.sources.resolve(pipelineKey))?.source.id, id)
      t.same(await store.sessions.rotate(rotation), { outcome: 'rotated' }, 'the outage used up no token')
    })
  }
})

/** Resolves once a statement in the database waits for a lock; fails if none does. */
async function waitingForALock ({ db }: Database): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const { rows } =
      await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
        db
      )
    if (rows.length > 0) return
  }
  throw new Error('nothing waits for a lock')
}

async function crossInstance (
  t: Test,
  twoStores: (options?: Partial<SqlStoreOptions>) => Promise<Record<'a' | 'b', ReturnType<typeof sqlStore>>>,
  databases: readonly [Database, Database]
) {
  await t.test('a change on one instance takes effect on the other within a second', async (t) => {
    const clock = manualClock()
    const { a, b } = await twoStores({ now: clock.now })
    const user = await aUser(a)
    const session = aSession(user.id, clock)
    await a.sessions.start(session)
    const { id, pipelineKey } = await a.sources.create(aSource())
    const next = aKey()
    t.equal((await b.sources.resolve(pipelineKey))?.source.id, id)
    t.equal((await b.sessions.access(session.id))?.role, 'admin')
    t.equal((await b.sources.origins()).length, 1)
    t.equal(await b.sources.resolve(next), null)

    await a.sources.update('org-a', id, { enabled: false })
    await a.sources.rotateKey('org-a', id, { pipelineKey: next, overlapUntil: 0 })
    await a.members.update('org-a', user.id, { role: 'viewer' })
    await clock.advance(1_000)
    t.equal(await b.sources.resolve(pipelineKey), null)
    t.equal((await b.sources.resolve(next))?.source.enabled, false, 'a key tried before it existed works')
    t.equal((await b.sources.origins()).length, 0)
    t.equal((await b.sessions.access(session.id))?.role, 'viewer')
    await a.sessions.endAll(user.id)
    await clock.advance(1_000)
    t.equal(await b.sessions.access(session.id), null)
  })

  await t.test('a session that starts while another instance revokes its user is refused', async (t) => {
    const { a } = await twoStores()
    const [, other] = databases
    const user = await aUser(a)
    const session = aSession(user.id, { now: Date.now, advance: async () => {} }, { epoch: user.epoch })
    const starting = await other.db.transaction().execute(async (tx) => {
      await tx.updateTable('users').set({ epoch: user.epoch + 1 }).where('id', '=', user.id).execute()
      await tx.deleteFrom('sessions').where('user_id', '=', user.id).execute()
      const started = a.sessions.start(session)
      // Not awaited here: the statement must wait in the database for this transaction.
      await waitingForALock(other)
      return { started }
    })
    t.equal(await starting.started, false)
    t.equal(await a.sessions.access(session.id), null)
  })

  await t.test('a guest token that one instance sets while the other invalidates its client is ' +
    'never returned', async (t) => {
    const clock = manualClock()
    const { a, b } = await twoStores({ now: clock.now })
    const entry = { token: 'x', clientId: 'client', mintedAt: clock.now(), expiresAt: clock.now() + 60_000 }
    await a.guestTokens.set('warm', entry)
    t.not(await a.guestTokens.get('warm'), null)
    for (let round = 0; round < 20; round++) {
      await clock.advance(1)
      await Promise.all([a.guestTokens.set(`key-${round}`, { ...entry, mintedAt: clock.now() }),
        b.guestTokens.invalidate({ clientId: 'client' })])
      t.equal(await b.guestTokens.get(`key-${round}`), null)
    }
    await clock.advance(1_000)
    t.equal(await a.guestTokens.get('warm'), null, 'a cached token is gone within a second')
  })
}
