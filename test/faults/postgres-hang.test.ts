import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sendEvents } from '../helpers/event-load.js'
import { watchHealth } from '../helpers/health-probe.js'
import { Ledger } from '../helpers/ledger.js'
import { privatePostgres } from '../helpers/postgres.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { printedBy } from '../helpers/server-session.js'
import { LOADED, untilAcknowledged } from '../helpers/stores.js'
import { timedCall } from '../helpers/timed-calls.js'
import type { TimedAnswer } from '../helpers/timed-calls.js'

/** How often each call is made while PostgreSQL is paused. */
const ROUNDS = Number(process.env.HANG_ROUNDS ?? 2)

t.test('while PostgreSQL is paused under load responses are 503 and memory is bounded, and afterwards no ' +
  'event is lost', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not paused', { skip: true })
  const server = await startServerProcess(t, await temporaryFolder(t), {
    ...LOADED,
    DATABASE_URL: postgres.url,
    LOGIN_RATE_MAX: '100000'
  })
  const { password, pipelineKey } = printedBy(server)
  const credentials = JSON.stringify({ email: 'admin@example.com', password })
  const logIn = async () => {
    const reply = await fetch(`${server.origin}/v1/admin/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: credentials
    })
    return await reply.json() as { access_token: string, refresh_token: string }
  }
  const { access_token: token } = await logIn()
  // One session for each round: the outcome of a rotation without a response is unknown.
  const unused = await Promise.all(Array.from({ length: ROUNDS }, logIn))
  const own: string[] = []
  const event = () => {
    const messageId = crypto.randomUUID()
    own.push(messageId)
    return { type: 'track', event: 'Hang', userId: 'u', messageId }
  }
  const calls: ReadonlyArray<() => Promise<TimedAnswer>> = [
    () => timedCall('event', `${server.origin}/v1/t`, { token: pipelineKey, body: JSON.stringify(event()) }),
    () =>
      timedCall('batch', `${server.origin}/v1/batch`, {
        token: pipelineKey,
        body: JSON.stringify({ batch: Array.from({ length: 100 }, event) })
      }),
    () => timedCall('list', `${server.origin}/v1/admin/sources`, { token }),
    () => timedCall('login', `${server.origin}/v1/admin/auth/login`, { body: credentials }),
    () =>
      timedCall('refresh', `${server.origin}/v1/admin/auth/refresh`, {
        body: JSON.stringify({ refresh_token: unused.pop()?.refresh_token ?? '' })
      }),
    () => timedCall('readyz', `${server.origin}/readyz`)
  ]
  const load = sendEvents(server.origin, pipelineKey, { connections: 12, batching: 4 })
  await untilAcknowledged(load, 300)

  const endWatch = watchHealth(server)
  await postgres.pause()
  const paused = performance.now()
  const answers: TimedAnswer[] = []
  // Each call gets its response while PostgreSQL hangs: it resumes after the last call.
  for (let round = 0; round < ROUNDS; round++) answers.push(...await Promise.all(calls.map((call) => call())))
  const before = load.acknowledged.length
  await postgres.resume()
  const back = performance.now()
  await untilAcknowledged(load, before + 100)
  while ((await timedCall('readyz', `${server.origin}/readyz`)).status !== 200) await sleep(50)
  const recovery = Math.round(performance.now() - back)
  const health = await endWatch()

  for (const { what, status, retryAfter, message } of answers) {
    t.equal(status, 503, `${what}: ${status} ${message}`)
    t.match(retryAfter, /^\d+$/, `${what}: Retry-After`)
    if (what === 'readyz') t.equal(message, 'No response from the store and the event sink')
  }
  t.equal(health.failed, 0)
  t.ok(health.asked >= 5 * ROUNDS, `/healthz was answered ${health.asked} times meanwhile`)
  t.ok(health.growth < 200, `the memory grew by ${health.growth} MB`)

  await load.stop()
  const ledger = new Ledger()
  ledger.note({ ...load, sent: [...load.sent, ...own] })
  t.same([...load.statuses.keys()], [503], 'no status except 200 and 503')
  const figures = await ledger.settle(t, server, password)
  const slowest = [...new Set(answers.map(({ what }) => what))].map((what) => `${what} ${slowestOf(what, answers)}`)
  t.comment(
    `paused for ${
      Math.round((back - paused) / 1_000)
    } s: ${figures}; well ${recovery} ms after it; slowest answers, ms: ${slowest.join(', ')}; ` +
      `/healthz: median ${health.median} ms, at most ${health.slowest} ms of ${health.asked}; memory grew by ${health.growth} MB`
  )
  t.equal((await server.stop()).code, 0)
})

t.test('two SIGTERM while PostgreSQL hangs shut the server down cleanly, and acknowledged events ' +
  'are stored', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  if (!postgres.ownServer) return t.pass('a shared PostgreSQL is not paused', { skip: true })
  const [dataDir, variables] = [await temporaryFolder(t), { ...LOADED, DATABASE_URL: postgres.url }]
  const server = await startServerProcess(t, dataDir, variables)
  const { password, pipelineKey } = printedBy(server)
  const ledger = new Ledger()
  const load = sendEvents(server.origin, pipelineKey, { connections: 12, batching: 4 })
  await untilAcknowledged(load, 300)
  await postgres.pause()
  // By then every connection of the load waits for a response.
  await sleep(500)

  server.signal('SIGTERM')
  await sleep(50)
  server.signal('SIGTERM')
  const { code, signal } = await server.ended
  // A stop that takes too long ends with exit code 1.
  t.same({ code, signal }, { code: 0, signal: null }, server.stderr())
  await load.stop()
  t.same([...load.statuses.keys()].filter((status) => status !== 503), [], 'no status except 503')
  ledger.note(load)

  await postgres.resume()
  const next = await startServerProcess(t, dataDir, variables)
  await ledger.audit(t, next, password)
  const last = sendEvents(next.origin, pipelineKey, { connections: 12, again: ledger.open })
  await untilAcknowledged(last, 100)
  await last.stop()
  ledger.note(last)
  t.comment(`SIGTERM while it hangs: ${await ledger.settle(t, next, password)}`)
  t.equal((await next.stop()).code, 0)
})

function slowestOf (asked: string, answers: readonly TimedAnswer[]): number {
  return answers.reduce((slowest, { what, time }) => what === asked ? Math.max(slowest, time) : slowest, 0)
}
