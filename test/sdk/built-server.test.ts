import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { rudderSdk, segmentSdk } from '../helpers/node-sdks.js'
import type { SdkTarget } from '../helpers/node-sdks.js'
import { folderWithDatabase } from '../helpers/database-folder.js'
import { assertStoredOnce, sdkCalls } from '../helpers/sdk-calls.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import type { ServerProcess } from '../helpers/server-process.js'
import { logIn, printedBy, storedEvents } from '../helpers/server-session.js'
import { LOADED } from '../helpers/stores.js'

t.test('the Node SDKs get 503 while PostgreSQL is down, and afterwards every event is stored once', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not stopped', { skip: true })
  const server = await startServerProcess(t, await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url })
  const { password, pipelineKey } = printedBy(server)
  const sdks = bothSdks({ origin: server.origin, key: pipelineKey })

  sdks.send(0, 250)
  await postgres.stop()
  sdks.send(250, 510)
  await sdks.answered(503)
  await postgres.start()
  await sdks.assertDelivered(t, server, password)
})

t.test('every event of the Node SDKs is stored once after a kill -9 and a restart of the server', async (t) => {
  const dataDir = await folderWithDatabase(t)
  const first = await startServerProcess(t, dataDir, LOADED)
  const { password, pipelineKey } = printedBy(first)
  const sdks = bothSdks({ origin: first.origin, key: pipelineKey })

  sdks.send(0, 250)
  await sdks.answered(200)
  sdks.send(250, 510)
  t.equal((await first.kill()).signal, 'SIGKILL')
  const second = await startServerProcess(t, dataDir, { ...LOADED, PORT: new URL(first.origin).port })
  await sdks.assertDelivered(t, second, password)
})

function bothSdks (target: SdkTarget) {
  const segment = segmentSdk(target)
  const pairs = [segment, rudderSdk(target)].map((sdk) => ({ sdk, calls: sdkCalls(510) }))
  return {
    /** Resolves when the server has responded with the status. */
    async answered (status: number) {
      while (!segment.statuses.includes(status)) await sleep(5)
    },
    send (from: number, to: number) {
      for (const { sdk, calls } of pairs) sdk.send(calls.slice(from, to))
    },
    async assertDelivered (t: Test, server: ServerProcess, password: string) {
      await Promise.all(pairs.map(({ sdk }) => sdk.drained()))
      t.same(pairs.flatMap(({ sdk }) => sdk.errors), [])
      const stored: Array<Record<string, unknown>> = []
      for await (const event of storedEvents(server, await logIn(server, password))) stored.push(event)
      assertStoredOnce(t, pairs.flatMap(({ calls }) => calls), stored)
    }
  }
}
