import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import userReference from '../../../plugins/user-reference/index.js'
import type { UserReferenceOptions } from '../../../plugins/user-reference/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { signUserReference } from '../../../signing/user-reference.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { stopClock } from '../../helpers/stopped-clock.js'

const OLD = generateSecret()
const NEW = generateSecret()
const under = (key: string): string => signUserReference({ sub: 'ann' }, { key, audience: 'gatehouse-embed' })

async function guarded (t: Test, options: UserReferenceOptions) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userReference, { global: true, ...options })
  app.get('/x', async () => ({}))
  await app.ready()
  const statusOf = async (reference: string): Promise<number> => (await app.inject(`/x?ref=${reference}`)).statusCode
  const { sign, verify } = app.userReference
  return { app, statusOf, sign, holds: (key: string) => verify(under(key)) !== null }
}

t.test('keys from a function rotate without a restart: the first key signs, and all keys verify', async (t) => {
  for (const isAsync of [false, true]) {
    let keys = [OLD]
    const { statusOf, sign } = await guarded(t, { keys: isAsync ? async () => keys : () => keys, secretMaxAge: 0 })
    const old = sign({ sub: 'ann' })
    t.same([await statusOf(old), await statusOf(under(NEW))], [200, 401])
    keys = [NEW, OLD]
    t.same([await statusOf(old), await statusOf(under(NEW))], [200, 200])
    const fresh = sign({ sub: 'ann' })
    // `sign` has called the function too, and calls before its result share the result.
    await turn()
    keys = [NEW]
    t.same([await statusOf(old), await statusOf(fresh)], [401, 200])
  }
})

t.test('sign and verify use the new keys once the old keys are 2 s old, even without requests', async (t) => {
  let keys = [OLD, NEW]
  const clock = stopClock(t)
  // The interval at which the age of the keys is checked.
  const looks = holdTimers(t, 1_000)
  const { sign, holds, app } = await guarded(t, { keys: async () => keys })
  keys = [NEW]
  clock.advance(1_999)
  looks.run()
  await turn()
  t.ok(holds(OLD))
  clock.advance(1)
  looks.run()
  await turn()
  t.notOk(holds(OLD))
  t.ok(holds(NEW))
  t.not(app.userReference.verify(sign({ sub: 'ann' })), null)
})

t.test('the previous keys stay in use if the function fails later', async (t) => {
  let answer: () => string[] = () => [OLD]
  const { statusOf, sign } = await guarded(t, { keys: () => answer(), secretMaxAge: 0 })
  for (
    const bad of [() => {
      throw new Error('down')
    }, () => [], () => ['short']]
  ) {
    answer = bad
    t.equal(await statusOf(under(OLD)), 200)
    t.equal(await statusOf(sign({ sub: 'ann' })), 200)
    t.equal(await statusOf(under(NEW)), 401)
  }
})

t.test('closing the app stops the refresh of the keys', async (t) => {
  const asked = { times: 0 }
  const { app } = await guarded(t, {
    keys: () => {
      asked.times++
      return [OLD]
    },
    secretMaxAge: 10
  })
  while (asked.times < 3) await sleep(10)
  await app.close()
  const then = asked.times
  await sleep(300)
  t.equal(asked.times, then)
})
