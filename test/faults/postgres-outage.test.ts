import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { watchHealth } from '../helpers/health-probe.js'
import { Ledger } from '../helpers/ledger.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { printedBy } from '../helpers/server-session.js'
import { LOADED, untilAcknowledged } from '../helpers/stores.js'
import { timedCall } from '../helpers/timed-calls.js'

const DOWN_SECONDS = Number(process.env.DOWN_SECONDS ?? 6)
/** How long a cached key works without a look-up, in milliseconds. */
const KEY_LIMIT = 5_000

t.test(`with PostgreSQL down for ${DOWN_SECONDS} s under load responses are 503 with Retry-After, no event is ` +
  'lost, and the server recovers', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not stopped', { skip: true })
  const server = await startServerProcess(t, await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url })
  const { password, pipelineKey } = printedBy(server)
  const send = (body: string, token = pipelineKey) => timedCall('event', `${server.origin}/v1/t`, { token, body })
  const ready = () => timedCall('readyz', `${server.origin}/readyz`)
  const [good, incomplete] = ['{"event":"Down","userId":"u"}', '{"userId":"u"}']
  const load = sendEvents(server.origin, pipelineKey, { connections: 12, batching: 4 })
  await untilAcknowledged(load, 300)
  t.equal((await ready()).status, 200)

  const endWatch = watchHealth(server)
  const down = performance.now()
  await postgres.stop()
  const refused = await send(good)
  t.match(refused, { status: 503, retryAfter: /^\d+$/ })
  t.equal((await send(incomplete)).status, 400, 'a key that was looked up before still works')
  t.equal((await send(good, `${pipelineKey}.`)).status, 401, 'a malformed key needs no database')
  t.match(await ready(), { status: 503, retryAfter: /^\d+$/, message: 'No response from the store and the event sink' })
  while (performance.now() < down + KEY_LIMIT + 250) await sleep(50)
  t.equal((await send(incomplete)).status, 503, 'an older cached key is not used')
  while (performance.now() < down + DOWN_SECONDS * 1_000) await sleep(50)

  await postgres.start()
  const back = performance.now()
  await untilAcknowledged(load, load.acknowledged.length + 100)
  while ((await ready()).status !== 200) await sleep(50)
  const recovery = Math.round(performance.now() - back)
  const health = await endWatch()
  t.equal(health.failed, 0)
  t.ok(health.asked >= 10, `/healthz was answered ${health.asked} times meanwhile`)

  await load.stop()
  const ledger = new Ledger()
  ledger.note(load)
  t.same([...load.statuses.keys()], [503], 'no status except 200 and 503')
  t.comment(
    `down for ${DOWN_SECONDS} s: ${await ledger.settle(t, server, password)}; ${
      load.statuses.get(503) ?? 0
    } answers of 503, ` +
      `well ${recovery} ms after the return; /healthz: median ${health.median} ms, at most ${health.slowest} ms; memory grew by ${health.growth} MB`
  )
  t.equal((await server.stop()).code, 0)
})

t.test('connections that PostgreSQL terminates, idle or busy, cause at most a 503 and no crash', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const server = await startServerProcess(t, await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url })
  const { password, pipelineKey } = printedBy(server)
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  t.teardown(() => admin.end())
  const endBackends = async () => {
    for (let ended = 0; ended === 0;) {
      const { rowCount } = await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fastify-gatehouse'"
      )
      ended = rowCount ?? 0
    }
  }

  const ledger = new Ledger()
  for (const [state, times] of [['busy', 5], ['idle', 1]] as const) {
    if (state === 'idle') await endBackends()
    const load = sendEvents(server.origin, pipelineKey, { connections: 12, batching: 4 })
    for (let time = 0; time < times; time++) {
      await untilAcknowledged(load, load.acknowledged.length + 100)
      if (state === 'busy') await endBackends()
    }
    await untilAcknowledged(load, load.acknowledged.length + 100)
    await load.stop()
    t.same([...load.statuses.keys()].filter((status) => status !== 503), [], 'no status except 200 and 503')
    t.comment(`${state}: ${load.statuses.get(503) ?? 0} answers of 503`)
    ledger.note(load)
  }
  t.comment(await ledger.settle(t, server, password))
  t.equal((await server.stop()).code, 0)
})
