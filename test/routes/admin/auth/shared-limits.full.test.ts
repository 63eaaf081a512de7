import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import { openRedis } from '../../../../lib/redis/open-redis.js'
import { sqlStore } from '../../../../plugins/token-store/sql/index.js'
import tokenStore from '../../../../plugins/token-store/index.js'
import adminAuth from '../../../../routes/admin/auth/index.js'
import { SECRET, cheapPasswords } from '../../../helpers/admin.js'
import { privateRedis } from '../../../helpers/redis.js'

const LIMIT = 10

/** Two instances on one database and one Redis. The lock-out is off, so that only the throttles refuse. */
async function setUp (t: Test) {
  const redis = await privateRedis(t, { needsOwn: true })
  if (redis === null) return null
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  const passwords = await cheapPasswords()
  const instance = async () => {
    const { link, close } = await openRedis({ url: redis.url, commandTimeout: 4_000 })
    const app = Fastify()
    t.teardown(async () => {
      await app.close()
      await close()
    })
    await app.register(tokenStore, {
      store: sqlStore(database, { secretsKeys: ['a key that seals what this test file stores'], redis: link }),
      sweepEvery: 0
    })
    await app.register(adminAuth, {
      jwtSecrets: [SECRET],
      passwords,
      lockout: { max: 100 },
      loginRateLimit: { max: LIMIT, timeWindow: 3_600_000 }
    })
    return (email: string, remoteAddress: string) =>
      app.inject({
        method: 'POST',
        url: '/v1/admin/auth/login',
        remoteAddress,
        payload: { email, password: 'wrong' }
      })
  }
  return { redis, one: await instance(), two: await instance() }
}

t.test('logins of one email and of one address are counted by all instances together', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { redis, one, two } = parts
  const statuses = async (tries: Array<ReturnType<typeof one>>) =>
    (await Promise.all(tries)).map(({ statusCode }) => statusCode).sort()
  const failed = Array<number>(LIMIT).fill(401)
  const alternating = (call: (at: number, logIn: typeof one) => ReturnType<typeof one>, count: number) =>
    Array.from({ length: count }, (_, at) => call(at, at % 2 === 0 ? one : two))

  await t.test('one email from many addresses', async (t) => {
    const tries = alternating((at, logIn) => logIn('ann@example.com', `198.51.100.${at}`), LIMIT + 4)
    t.same(await statuses(tries), [...failed, 429, 429, 429, 429])
    const reply = await two('Ann@Example.com', '198.51.100.99')
    t.equal(reply.statusCode, 429)
    t.match(reply.headers, { 'retry-after': /^\d+$/ })
    t.equal((await two('bob@example.com', '198.51.100.98')).statusCode, 401, 'another email is not affected')
  })

  await t.test('many emails from one address', async (t) => {
    const tries = alternating((at, logIn) => logIn(`user${at}@example.com`, '203.0.113.1'), LIMIT + 4)
    t.same(await statuses(tries), [...failed, 429, 429, 429, 429])
  })

  await t.test('without Redis each instance counts by itself and never fails', async (t) => {
    await redis.kill()
    for (const logIn of [one, two]) {
      const tries = Array.from({ length: LIMIT + 2 }, (_, at) => logIn(`later${at}@example.com`, '203.0.113.2'))
      t.same(await statuses(tries), [...failed, 429, 429])
    }
  })
})
