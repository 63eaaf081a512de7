import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import type { Sending } from '../helpers/event-load.js'
import { privateNats } from '../helpers/nats.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { LOADED, untilAcknowledged } from '../helpers/stores.js'

const COPIED_WITHIN = 30_000

/** Such as `event,flush`. */
const PACKINGS = (process.env.PACKINGS ?? 'event').split(',')

for (const packing of PACKINGS) {
  t.test(`with NATS_PACKING=${packing} each acknowledged event is in PostgreSQL once, after kills of broker ` +
    'and server', async (t) => {
    const [postgres, nats] = [await privatePostgres(t), await privateNats(t)]
    if (postgres === null || nats === null || !nats.ownServer) return
    const variables = { ...LOADED, DATABASE_URL: postgres.url, NATS_URL: nats.url, NATS_PACKING: packing }
    const dataDir = await temporaryFolder(t)
    let server = await startServerProcess(t, dataDir, variables)
    const { password, pipelineKey } = printedBy(server)
    t.match(await (await fetch(`${server.origin}/readyz`)).json(), { status: 'ready', durability: 'process' })
    const acknowledged: string[] = []
    let again: readonly Sending[] = []

    for (const victim of ['broker', 'server', 'nobody'] as const) {
      const load = sendEvents(server.origin, pipelineKey, { connections: 8, batching: 2, again })
      await untilAcknowledged(load, 300)
      if (victim === 'broker') {
        await nats.kill()
        await nats.start()
        await untilAcknowledged(load, load.acknowledged.length + 100)
      }
      if (victim === 'server') await server.kill()
      await load.stop()
      acknowledged.push(...load.acknowledged)
      again = load.unacknowledged
      if (victim === 'nobody') t.equal((await server.stop()).code, 0, 'a clean stop')
      if (victim !== 'broker') server = await startServerProcess(t, dataDir, variables)
    }

    const token = await logIn(server, password)
    let stored = await storedIds(server, token)
    for (
      const deadline = Date.now() + COPIED_WITHIN;
      acknowledged.some((id) => !stored.has(id)) && Date.now() < deadline;
      await sleep(200)
    ) {
      stored = await storedIds(server, token)
    }
    t.same(acknowledged.filter((id) => !stored.has(id)), [], `no event of ${acknowledged.length} is lost`)
    t.same([...stored.values()].filter((times) => times > 1), [], 'no event is stored twice')
    t.equal((await server.stop()).code, 0)
  })
}

t.test('SIGTERM while PostgreSQL hangs shuts a server with NATS down cleanly', async (t) => {
  const [postgres, nats] = [await privatePostgres(t), await privateNats(t)]
  if (postgres === null || nats === null || !nats.ownServer || !postgres.ownServer) return
  const server = await startServerProcess(t, await temporaryFolder(t), {
    ...LOADED,
    DATABASE_URL: postgres.url,
    NATS_URL: nats.url
  })
  const { pipelineKey } = printedBy(server)
  const load = sendEvents(server.origin, pipelineKey, { connections: 8, batching: 2 })
  await untilAcknowledged(load, 300)
  await postgres.pause()
  // By then the copy waits for a response.
  await sleep(1_000)
  const { code, signal } = await server.stop()
  await load.stop()
  t.same({ code, signal }, { code: 0, signal: null }, `${server.stderr()}`)
  await postgres.resume()
})
