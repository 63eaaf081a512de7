import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import proxyKey from '../../../plugins/proxy-key.js'
import type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { stopClock } from '../../helpers/stopped-clock.js'

const OLD = generateSecret()
const NEW = generateSecret()

async function guarded (t: Test, options: ProxyKeyOptions) {
  const lines: string[] = []
  const app = Fastify({
    logger: {
      level: 'warn',
      stream: {
        write: (line: string) => {
          lines.push(line)
        }
      }
    }
  })
  t.teardown(() => app.close())
  await app.register(proxyKey, { global: true, ...options })
  app.get('/x', async () => ({}))
  await app.ready()
  const statusOf = async (key: string): Promise<number> =>
    (await app.inject({ url: '/x', headers: { authorization: `Bearer ${key}` } })).statusCode
  return { lines, statusOf, statuses: async () => [await statusOf(OLD), await statusOf(NEW)] }
}

t.test('keys from a function are added and removed without a restart', async (t) => {
  for (const isAsync of [false, true]) {
    let keys = [OLD]
    const { statuses } = await guarded(t, { keys: isAsync ? async () => keys : () => keys, secretMaxAge: 0 })
    t.same(await statuses(), [200, 401])
    keys = [OLD, NEW]
    t.same(await statuses(), [200, 200])
    keys.shift()
    t.same(await statuses(), [401, 200], 'the key is removed from the same list')
    keys = []
    t.same(await statuses(), [401, 401], 'an empty list refuses every key')
    keys = [NEW]
    t.same(await statuses(), [401, 200])
  }
})

t.test('under load a removed key is refused after 2 s, and the new key is always accepted', async (t) => {
  let keys = [OLD, NEW]
  let asked = 0
  const clock = stopClock(t)
  const { statusOf } = await guarded(t, {
    keys: async () => {
      asked++
      await sleep(20)
      return keys
    }
  })
  const load = { on: true }
  const newStatuses = new Map<number, number>()
  const pending: Array<Promise<unknown>> = []
  const rain = (async () => {
    while (load.on) {
      pending.push(statusOf(NEW).then((status) => newStatuses.set(status, (newStatuses.get(status) ?? 0) + 1)))
      await sleep(20)
    }
  })()
  while (pending.length < 10) await sleep(20)
  t.equal(await statusOf(OLD), 200)
  keys = [NEW]
  clock.advance(1_999)
  t.equal(await statusOf(OLD), 200)
  clock.advance(1)
  t.equal(await statusOf(OLD), 401)
  while (pending.length < 20) await sleep(20)
  load.on = false
  await rain
  await Promise.all(pending)
  t.same([...newStatuses.keys()], [200])
  t.equal(asked, 2, 'the function is not called for each request')
})

t.test('a function that fails or returns a weak key keeps the previous keys, and the log does not ' +
  'contain the keys', async (t) => {
  let answer: () => string[] = () => [OLD]
  const { statuses, lines } = await guarded(t, { keys: () => answer(), secretMaxAge: 0 })
  for (
    const bad of [() => {
      throw new Error(NEW)
    }, () => ['short'], () => [NEW, ''], () => NEW as unknown as string[]]
  ) {
    answer = bad
    t.same(await statuses(), [200, 401])
  }
  t.equal(lines.length, 1)
  t.match(lines[0], /proxy-key: \\"keys\\": the function returned no valid secret; the previous secret stays in use/)
  t.notMatch(lines.join(''), new RegExp(`${OLD}|${NEW}|short`))
})

t.test('requests that arrive during a refresh of the keys share one call of the function', async (t) => {
  let asked = 0
  const { statusOf } = await guarded(t, {
    keys: async () => {
      asked++
      await sleep(50)
      return [OLD]
    },
    secretMaxAge: 500
  })
  await sleep(510)
  const before = asked
  t.same(await Promise.all([OLD, NEW, OLD, NEW].map(statusOf)), [200, 401, 200, 401])
  t.equal(asked, before + 1)
})
