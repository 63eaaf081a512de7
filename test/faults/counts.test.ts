import { setTimeout as sleep } from 'node:timers/promises'

import { sql } from 'kysely'
import t from 'tap'

import { foldCounts } from '../../lib/database/counts/fold.js'
import { openDatabase } from '../../lib/database/open-database.js'
import type { Database } from '../../lib/database/open-database.js'
import { generateSecret } from '../../signing/secret-strength/index.js'
import { sendEvents } from '../helpers/event-load.js'
import type { Sending } from '../helpers/event-load.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import type { ServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { LOADED, STORES, storeOfServer, untilAcknowledged } from '../helpers/stores.js'

const KILLS = Number(process.env.KILLS ?? 3)

t.setTimeout(KILLS * 200_000)

interface Totals { accepted: number, deduplicated: number }

async function shownBy (server: ServerProcess, token: string): Promise<Totals> {
  const to = new Date(Date.now() + 60_000).toISOString()
  const answer = await fetch(`${server.origin}/v1/admin/stats?to=${to}`, {
    headers: { authorization: `Bearer ${token}` }
  })
  if (!answer.ok) throw new Error(`stats: ${answer.status} ${await answer.text()}`)
  return (await answer.json() as { events: { totals: Totals } }).events.totals
}

for (const kind of STORES) {
  t.test(`after ${KILLS} times kill -9 of a server on ${kind} under load the accepted events are as many as the ` +
    'stored ones', async (t) => {
    const store = await storeOfServer(t, kind)
    if (store === null) return
    let server = await startServerProcess(t, store.dataDir, store.variables)
    const { password, pipelineKey } = printedBy(server)
    let open: readonly Sending[] = []
    let acknowledged = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      // What was cut off is sent again, and some of it is stored already.
      const load = sendEvents(server.origin, pipelineKey, { connections: 10, batching: 3, again: open })
      await untilAcknowledged(load, 400)
      await sleep(Math.random() * 300)
      await server.kill()
      await load.stop()
      open = load.unacknowledged
      acknowledged += load.acknowledged.length
      server = await startServerProcess(t, store.dataDir, store.variables)
      const token = await logIn(server, password)
      const stored = (await storedIds(server, token)).size
      const { accepted } = await shownBy(server, token)
      t.equal(accepted, stored, `${accepted} counted, ${stored} stored`)
      t.ok(stored >= acknowledged, 'no acknowledged event is lost')
    }
    const repeats = open.flatMap(({ ids }) => ids)
    const again = sendEvents(server.origin, pipelineKey, { connections: 4, again: [...open, ...open] })
    await untilAcknowledged(again, 2 * repeats.length + 50)
    await again.stop()
    const token = await logIn(server, password)
    const stored = (await storedIds(server, token)).size
    const { accepted, deduplicated } = await shownBy(server, token)
    t.equal(accepted, stored)
    t.ok(deduplicated >= repeats.length, `${deduplicated} of ${2 * repeats.length} repeats were stored before`)
    t.equal((await server.stop()).code, 0)
  })
}

async function rowsOf ({ db }: Database) {
  const { rows: [row] } = await sql<{ stored: string, counted: string, moved: string }>`
    select (select count(*) from events)::text as stored,
      (select sum(events) from (
        select outcome, events from counts union all select outcome, events from count_deltas
      ) both_tables where outcome = 'accepted')::text as counted,
      (select coalesce(sum(events), 0) from counts where outcome = 'accepted')::text as moved`.execute(db)
  return { stored: Number(row?.stored), counted: Number(row?.counted), moved: Number(row?.moved) }
}

t.test(`after ${KILLS} times kill -9 of PostgreSQL, while two instances move the counts of two servers, each stored ` +
  'event is counted once', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not killed', { skip: true })
  const variables = {
    ...LOADED,
    DATABASE_URL: postgres.url,
    JWT_SECRET: generateSecret(),
    SECRETS_KEY: generateSecret()
  }
  const one = await startServerProcess(t, await temporaryFolder(t), variables)
  const { pipelineKey } = printedBy(one)
  const two = await startServerProcess(t, await temporaryFolder(t), variables)
  const databases = [await openDatabase({ url: postgres.url }), await openDatabase({ url: postgres.url })] as const
  t.teardown(async () => { for (const database of databases) await database.close() })
  const state = { folding: true }
  let failures = 0
  const folds = databases.map(async (database) => {
    while (state.folding) {
      await foldCounts(database).catch(() => { failures++ })
      await sleep(5)
    }
  })
  const loads = [one, two].map(({ origin }) => sendEvents(origin, pipelineKey, { connections: 6, batching: 2 }))
  for (let kill = 1; kill <= KILLS; kill++) {
    for (const load of loads) await untilAcknowledged(load, load.acknowledged.length + 300)
    await sleep(Math.random() * 300)
    await postgres.kill()
    await postgres.start()
  }
  for (const load of loads) await untilAcknowledged(load, load.acknowledged.length + 300)
  await Promise.all(loads.map((load) => load.stop()))
  state.folding = false
  await Promise.all(folds)
  const { stored, counted, moved } = await rowsOf(databases[0])
  t.equal(counted, stored, `${counted} counted, ${stored} stored, ${moved} moved, ${failures} folds failed`)
  t.ok(moved > 0)
  t.ok(stored >= new Set(loads.flatMap(({ acknowledged }) => acknowledged)).size, 'no acknowledged event is lost')
  await foldCounts(databases[0])
  t.same(await rowsOf(databases[0]), { stored, counted, moved: counted }, 'all counts are moved')
  for (const server of [one, two]) t.equal((await server.stop()).code, 0)
})
