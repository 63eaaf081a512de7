// Two instances of the route as they run in production: each with its own connections to one PostgreSQL, and to one
// Redis if there is one.
import { randomUUID } from 'node:crypto'

import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import { FORBIDDEN } from '../../../../lib/errors.js'
import { openRedis } from '../../../../lib/redis/open-redis.js'
import tokenStore from '../../../../plugins/token-store/index.js'
import { sqlStore } from '../../../../plugins/token-store/sql/index.js'
import type { GuestTokenOptions } from '../../../../routes/databrain/guest-token/index.js'
import { guestTokenApp } from '../../../helpers/guest-token.js'
import type { GuestTokenApp } from '../../../helpers/guest-token.js'
import { privatePostgres } from '../../../helpers/postgres.js'
import { privateRedis } from '../../../helpers/redis.js'
import { stopClock } from '../../../helpers/stopped-clock.js'
import { reply, stubUpstream } from '../../../helpers/stub-upstream.js'
import { until } from '../../../helpers/until.js'

const MODES = ['PostgreSQL', 'PostgreSQL and Redis'] as const
/** A change at one instance is visible at the other within this time, in milliseconds. */
const REACH = 1_000

interface Instances {
  one: GuestTokenApp
  two: GuestTokenApp
  /** The number of calls to DataBrain. */
  mints(): number
}

async function instances (
  t: Test,
  mode: typeof MODES[number],
  options: Partial<GuestTokenOptions> = {}
): Promise<Instances | null> {
  const postgres = await privatePostgres(t)
  const redis = mode === 'PostgreSQL' ? undefined : await privateRedis(t)
  if (postgres === null || redis === null) return null
  const databrain = await stubUpstream(t, (call, response) => reply({ token: randomUUID() })(call, response))

  async function instance (): Promise<GuestTokenApp> {
    const database = await openDatabase({ url: postgres?.url ?? '', maxConnections: 3 })
    const opened = redis === undefined
      ? undefined
      : await openRedis({ url: redis?.url ?? '', prefix: redis?.prefix ?? '' })
    const store = sqlStore(database, {
      secretsKeys: ['a key that seals what these tests store'],
      ...(opened === undefined ? {} : { redis: opened.link }),
      ...(options.now === undefined ? {} : { now: options.now })
    })
    t.teardown(async () => {
      await opened?.close()
      await database.close()
    })
    return await guestTokenApp(
      t,
      { ...options, apiUrl: databrain.origin },
      {},
      (app) => app.register(tokenStore, { store })
    )
  }

  const [one, two] = [await instance(), await instance()]
  return { one, two, mints: () => databrain.calls.length }
}

async function tokenFrom ({ ask }: GuestTokenApp, user: string): Promise<string> {
  return (await ask(user)).json().token
}

for (const mode of MODES) {
  t.test(`by ${mode}, with "refreshAhead" 0 no instance returns a token in its last 30 s`, async (t) => {
    const clock = { time: 1_700_000_000_000 }
    const made = await instances(t, mode, { expiryTime: 120_000, refreshAhead: 0, now: () => clock.time })
    if (made === null) return
    const { one, two, mints } = made
    const token = await tokenFrom(one, 'ann')
    t.equal(await tokenFrom(two, 'ann'), token)
    clock.time += 89_999
    t.same([await tokenFrom(one, 'ann'), await tokenFrom(two, 'ann')], [token, token])
    t.equal(mints(), 1)
    clock.time += 1
    const next = await tokenFrom(two, 'ann')
    t.not(next, token)
    t.equal(await tokenFrom(one, 'ann'), next)
    t.equal(mints(), 2)
  })

  t.test(`by ${mode}, a withdrawn permission is 403 at every instance, and the instance that invalidates a token ` +
    'drops it', async (t) => {
    const granted = new Set(['ann', 'bob'])
    const made = await instances(t, mode, {
      authorize: ({ userReference }) => {
        if (!granted.has(userReference?.sub ?? '')) throw new FORBIDDEN()
        return { clientId: userReference?.sub ?? '' }
      }
    })
    if (made === null) return
    const { one, two } = made
    const [ann, bob] = [await tokenFrom(one, 'ann'), await tokenFrom(one, 'bob')]
    t.same([await tokenFrom(two, 'ann'), await tokenFrom(two, 'bob')], [ann, bob], 'cached at both instances')
    granted.delete('ann')
    await one.app.tokenStore.guestTokens.invalidate({ clientId: 'ann' })
    t.same([(await one.ask('ann')).statusCode, (await two.ask('ann')).statusCode], [403, 403])
    granted.add('ann')
    t.not(await tokenFrom(one, 'ann'), ann, 'a new token at the instance that invalidated')
    t.equal(await tokenFrom(two, 'bob'), bob)
  })

  t.test(`by ${mode}, no instance returns an invalidated token after 1 s`, async (t) => {
    const made = await instances(t, mode)
    if (made === null) return
    const { one, two } = made
    const clock = stopClock(t)
    for (let round = 0; round < 5; round++) {
      const token = await tokenFrom(one, 'ann')
      t.equal(await tokenFrom(two, 'ann'), token)
      await one.app.tokenStore.guestTokens.invalidate({ clientId: 'ann' })
      clock.advance(REACH)
      await until('the other instance has another token', async () => await tokenFrom(two, 'ann') !== token)
      t.equal(await tokenFrom(one, 'ann'), await tokenFrom(two, 'ann'))
    }
  })

  t.test(`by ${mode}, a revoked user gets no token from any instance after 1 s`, async (t) => {
    const made = await instances(t, mode)
    if (made === null) return
    const { one, two } = made
    const clock = stopClock(t)
    for (const user of ['ann', 'bob', 'cyd']) {
      t.equal(await tokenFrom(one, user), await tokenFrom(two, user))
      await one.app.tokenStore.revocations.revoke({
        orgId: 'default',
        kind: 'user',
        subject: user,
        before: Date.now() + 60_000,
        createdBy: null
      })
      clock.advance(REACH)
      await until('the other instance refuses', async () => (await two.ask(user)).statusCode === 403)
      t.equal((await one.ask(user)).statusCode, 403)
    }
  })
}
