import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import type { Variables } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'

const KILLS = Number(process.env.KILLS ?? 10)
const quiet: Variables = { LOG_LEVEL: 'warn', INGEST_KEY_RATE_MAX: '0', INGEST_IP_RATE_MAX: '0', ADMIN_RATE_MAX: '1000000', HOST: '127.0.0.1' }

t.test(`D01: of ${KILLS} times kill -9 under load no acknowledged event is lost, and none is stored twice`, async (t) => {
  const dataDir = await temporaryFolder(t)
  const acknowledged: string[] = []
  const sent = new Set<string>()
  let password = ''
  let pipelineKey = ''
  const restarts: number[] = []

  for (let kill = 0; kill < KILLS; kill++) {
    const server = await startServerProcess(t, dataDir, quiet)
    if (kill === 0) ({ password, pipelineKey } = printedBy(server))
    else restarts.push(server.startTime)
    const load = sendEvents(server.origin, pipelineKey)
    // Until events flow, then on to some moment of the group commits.
    while (load.acknowledged.length < 200) await sleep(5)
    await sleep(Math.random() * 300)
    const { signal } = await server.kill()
    t.equal(signal, 'SIGKILL')
    await load.stop()
    acknowledged.push(...load.acknowledged)
    for (const id of load.sent) sent.add(id)
    t.same([...load.statuses], [], 'nothing but 200 and lost connections')
  }

  const server = await startServerProcess(t, dataDir, quiet)
  const stored = await storedIds(server, await logIn(server, password))
  t.comment(`${acknowledged.length} acknowledged, ${stored.size} stored, slowest restart ${Math.round(Math.max(...restarts))} ms`)
  t.equal(acknowledged.filter((id) => !stored.has(id)).length, 0, 'lost')
  t.equal([...stored.values()].filter((times) => times > 1).length, 0, 'twice')
  t.equal([...stored.keys()].filter((id) => !sent.has(id)).length, 0, 'never sent')
  t.equal((await server.stop()).code, 0)
})

t.test('D04: a second process on the same folder is refused within 5 s, and a lock left by kill -9 is taken over', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await startServerProcess(t, dataDir, quiet)
  const { password, pipelineKey } = printedBy(first)
  const start = performance.now()
  await t.rejects(startServerProcess(t, dataDir, quiet), { message: /is in use by another running process/ })
  t.ok(performance.now() - start < 5_000, `after ${Math.round(performance.now() - start)} ms`)

  const load = sendEvents(first.origin, pipelineKey, 4)
  while (load.acknowledged.length < 50) await sleep(5)
  await load.stop()
  await first.kill()
  const third = await startServerProcess(t, dataDir, quiet)
  const stored = await storedIds(third, await logIn(third, password))
  t.same(load.acknowledged.filter((id) => !stored.has(id)), [])
})
