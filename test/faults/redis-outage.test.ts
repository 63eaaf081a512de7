import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { call } from '../helpers/cluster-call.js'
import { privatePostgres } from '../helpers/postgres.js'
import { privateRedis } from '../helpers/redis.js'
import { startServerProcess, temporaryFolder } from '../helpers/server-process.js'
import { logIn, printedBy, storedIds } from '../helpers/server-session.js'
import { steadyEvents } from '../helpers/steady-events.js'
import { LOADED } from '../helpers/stores.js'

/** The duration of each part of the test. */
const SECONDS = Number(process.env.SECONDS_AWAY ?? 2)
const PER_SECOND = 300

t.test(`no event fails at ${PER_SECOND} events/s while Redis works, is killed, returns, hangs ` +
  'and recovers', async (t) => {
  const [postgres, redis] = [await privatePostgres(t), await privateRedis(t, { needsOwn: true })]
  if (postgres === null || redis === null) return
  const variables = { ...LOADED, DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOGIN_RATE_MAX: '3' }
  const server = await startServerProcess(t, await temporaryFolder(t), variables)
  const { password, pipelineKey } = printedBy(server)
  const token = await logIn(server, password)
  const acknowledged: string[] = []

  async function part (name: string): Promise<void> {
    const load = steadyEvents(server.origin, pipelineKey, PER_SECOND)
    await sleep(SECONDS * 1_000)
    await load.stop()
    const [p50, p99, max] = [load.percentile(0.5), load.percentile(0.99), load.percentile(1)]
    acknowledged.push(...load.acknowledged)
    t.same(
      load.failures,
      [],
      `${name}: ${load.acknowledged.length} events, p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, at most ${
        max.toFixed(1)
      } ms`
    )
    t.ok(max < 2_000, `${name}: no request hangs`)
    t.comment(`${name}: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`)
  }

  /** The statuses of five failed logins. */
  async function attempts (email: string): Promise<number[]> {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      statuses.push(
        (await call(server, '/v1/admin/auth/login', { body: { email, password: 'wrong but long enough' } })).status
      )
    }
    return statuses
  }

  await part('with Redis')
  await redis.kill()
  await part('killed')
  t.same((await attempts('one@example.com')).slice(-2), [429, 429], 'the process counts the limits')
  t.equal((await fetch(`${server.origin}/readyz`)).status, 200, 'the server is ready without Redis')
  await redis.start()
  await part('back')
  redis.pause()
  await part('hanging')
  redis.resume()
  await part('back again')

  const warnings = server.stdout().split('\n').filter((line) => line.includes('"level":40'))
  t.equal(warnings.filter((line) => line.includes('Redis is unavailable')).length, 2, 'one warning per outage')
  t.equal(warnings.filter((line) => line.includes('Redis is available again')).length, 2)
  const stored = await storedIds(server, token)
  t.same(acknowledged.filter((id) => stored.get(id) !== 1), [], 'each acknowledged event is stored once')
  t.equal((await server.stop()).code, 0)
})
