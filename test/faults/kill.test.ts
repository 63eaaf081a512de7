import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { Ledger } from '../helpers/ledger.js'
import { folderWithDatabase } from '../helpers/database-folder.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { LOADED, STORES, storeOfServer, untilAcknowledged } from '../helpers/stores.js'

const KILLS = Number(process.env.KILLS ?? 6)
/** The minimum number of events that are acknowledged over all kills. */
const ACKS = Number(process.env.ACKS ?? KILLS * 500)
const LOAD = { connections: 12, batching: 4 }

// On a busy machine a start takes half a minute, and each kill is followed by a start on each store.
t.setTimeout(KILLS * 150_000)

for (const kind of STORES) {
  t.test(`after ${KILLS} times kill -9 of a server on ${kind} under load no event is lost or duplicated, and ` +
    'no batch is stored partially', async (t) => {
    const store = await storeOfServer(t, kind)
    if (store === null) return
    const ledger = new Ledger()
    const restarts: number[] = []
    let server = await startServerProcess(t, store.dataDir, store.variables)
    const { password, pipelineKey } = printedBy(server)

    for (let kill = 1; kill <= KILLS; kill++) {
      const load = sendEvents(server.origin, pipelineKey, { ...LOAD, again: ledger.open })
      // Waits until events flow, then for a random moment of the group commits.
      await untilAcknowledged(load, Math.ceil(ACKS / KILLS))
      await sleep(Math.random() * 300)
      t.equal((await server.kill()).signal, 'SIGKILL')
      await load.stop()
      t.same([...load.statuses], [], 'no status except 200')
      ledger.note(load)
      server = await startServerProcess(t, store.dataDir, store.variables)
      restarts.push(server.startTime)
      await ledger.audit(t, server, password)
    }

    const last = sendEvents(server.origin, pipelineKey, { ...LOAD, again: ledger.open })
    await untilAcknowledged(last, 500)
    await last.stop()
    ledger.note(last)
    t.equal(ledger.open.length, 0, 'every repeat got a response')
    t.comment(
      `${kind}, ${KILLS} kills: ${await ledger.settle(t, server, password)}; slowest restart ${
        Math.round(Math.max(...restarts))
      } ms`
    )
    t.equal((await server.stop()).code, 0)
  })
}

t.test(`after ${KILLS} times kill -9 of PostgreSQL under load no event is lost or duplicated, and events are ` +
  'accepted again', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not killed', { skip: true })
  const server = await startServerProcess(t, await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url })
  const { password, pipelineKey } = printedBy(server)
  const ledger = new Ledger()
  const pauses: number[] = []
  const load = sendEvents(server.origin, pipelineKey, LOAD)
  for (let kill = 1; kill <= KILLS; kill++) {
    await untilAcknowledged(load, load.acknowledged.length + Math.ceil(ACKS / KILLS))
    await sleep(Math.random() * 300)
    await postgres.kill()
    await postgres.start()
    const start = performance.now()
    await untilAcknowledged(load, load.acknowledged.length + 100)
    pauses.push(performance.now() - start)
  }
  await load.stop()
  t.same([...load.statuses.keys()].filter((status) => status !== 503), [], 'no status except 200 and 503')
  ledger.note(load)
  t.comment(
    `${KILLS} kills of PostgreSQL: ${await ledger.settle(t, server, password)}; ` +
      `${load.statuses.get(503) ?? 0} answers of 503, longest pause after a restart ${
        Math.round(Math.max(...pauses))
      } ms`
  )
  t.equal((await server.stop()).code, 0)
})

t.test('a second process on a folder is refused while the first process runs, and a lock left by kill -9 is taken ' +
  'over', async (t) => {
  const dataDir = await folderWithDatabase(t)
  const first = await startServerProcess(t, dataDir, LOADED)
  const { password, pipelineKey } = printedBy(first)
  await t.rejects(startServerProcess(t, dataDir, LOADED), { message: /is in use by another process/ })

  const load = sendEvents(first.origin, pipelineKey, { connections: 4 })
  while (load.acknowledged.length < 50) await sleep(5)
  await load.stop()
  await first.kill()
  const third = await startServerProcess(t, dataDir, LOADED)
  const stored = await storedIds(third, await logIn(third, password))
  t.same(load.acknowledged.filter((id) => !stored.has(id)), [])
})
