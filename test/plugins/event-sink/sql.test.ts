import t from 'tap'

import { openDatabase } from '../../../plugins/database/open-database.js'
import { sqlSink } from '../../../plugins/event-sink/sql.js'
import { anEvent, eventSinkContract } from '../../contracts/event-sink.js'
import { emptyDatabase, truncateAll } from '../../helpers/pglite.js'
import { privatePostgres } from '../../helpers/postgres.js'

t.test('the SQL sink keeps the contract on PGlite', async (t) => {
  await eventSinkContract(t, async () => sqlSink(await emptyDatabase()))
})

t.test('the SQL sink keeps the contract on PostgreSQL', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url })
  t.teardown(() => database.close())
  await eventSinkContract(t, async () => {
    await truncateAll(database)
    return await sqlSink(database)
  })
})

t.test('one event that the database refuses does not take the others of its statement with it', async (t) => {
  const sink = await sqlSink(await emptyDatabase())
  const good = Array.from({ length: 5 }, () => anEvent())
  const first = sink.write([anEvent()])
  const outcomes = await Promise.allSettled([sink.write([anEvent({ payload: 'not json' })]), ...good.map((event) => sink.write([event]))])
  await first
  t.same(outcomes.map(({ status }) => status), ['rejected', ...Array(5).fill('fulfilled')])
  t.equal((await sink.list('org-a', {}, { limit: 100 })).data.length, 6)
})

t.test('a lost database is UNAVAILABLE, for writes, lists and readiness', async (t) => {
  const database = await openDatabase({ memory: true })
  const sink = await sqlSink(database)
  await database.close()
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  await t.rejects(sink.list('org-a', {}, { limit: 1 }), { code: 'UNAVAILABLE' })
  await t.rejects(sink.ready(), { code: 'UNAVAILABLE' })
})
