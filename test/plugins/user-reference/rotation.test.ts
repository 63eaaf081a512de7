import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import userReference from '../../../plugins/user-reference/index.js'
import type { UserReferenceOptions } from '../../../plugins/user-reference/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { signUserReference } from '../../../signing/user-reference.js'

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

t.test('G18: keys given as a function rotate without a restart: the first signs, all of them verify', async (t) => {
  for (const isAsync of [false, true]) {
    let keys = [OLD]
    const { statusOf, sign } = await guarded(t, { keys: isAsync ? async () => keys : () => keys, secretMaxAge: 0 })
    const old = sign({ sub: 'ann' })
    t.same([await statusOf(old), await statusOf(under(NEW))], [200, 401])
    keys = [NEW, OLD]
    t.same([await statusOf(old), await statusOf(under(NEW))], [200, 200])
    const fresh = sign({ sub: 'ann' })
    // `sign` has asked too, and whoever comes before that is answered shares the answer.
    await turn()
    keys = [NEW]
    t.same([await statusOf(old), await statusOf(fresh)], [401, 200])
  }
})

t.test('G18: sign and verify go by the new keys within 5 s though they never wait and no request comes', async (t) => {
  let keys = [OLD, NEW]
  const { sign, holds, app } = await guarded(t, { keys: async () => { await sleep(20); return keys } })
  t.ok(holds(OLD))
  keys = [NEW]
  const removedAt = performance.now()
  // Not asked meanwhile, so that nothing but age makes the answer a new one; 3 s are what the timer allows, 1 s is for a busy machine.
  await sleep(4_000)
  t.notOk(holds(OLD))
  t.ok(holds(NEW))
  t.not(app.userReference.verify(sign({ sub: 'ann' })), null)
  t.ok(performance.now() - removedAt < 5_000)
})

t.test('a function that fails later leaves the keys of before in use', async (t) => {
  let answer: () => string[] = () => [OLD]
  const { statusOf, sign } = await guarded(t, { keys: () => answer(), secretMaxAge: 0 })
  for (const bad of [() => { throw new Error('down') }, () => [], () => ['short']]) {
    answer = bad
    t.equal(await statusOf(under(OLD)), 200)
    t.equal(await statusOf(sign({ sub: 'ann' })), 200)
    t.equal(await statusOf(under(NEW)), 401)
  }
})

t.test('the end of the app ends the asking', async (t) => {
  const asked = { times: 0 }
  const { app } = await guarded(t, { keys: () => { asked.times++; return [OLD] }, secretMaxAge: 10 })
  while (asked.times < 3) await sleep(10)
  await app.close()
  const then = asked.times
  await sleep(300)
  t.equal(asked.times, then)
})
