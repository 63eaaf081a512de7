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

t.test('keys given as a function come and go without a restart', async (t) => {
  for (const isAsync of [false, true]) {
    let keys = [OLD]
    const { statuses } = await guarded(t, { keys: isAsync ? async () => keys : () => keys, secretMaxAge: 0 })
    t.same(await statuses(), [200, 401])
    keys = [OLD, NEW]
    t.same(await statuses(), [200, 200])
    keys.shift()
    t.same(await statuses(), [401, 200], 'out of the same list')
    keys = []
    t.same(await statuses(), [401, 401], 'an empty list lets nobody in')
    keys = [NEW]
    t.same(await statuses(), [401, 200])
  }
})

t.test('under 50 requests a second a removed key is dead after 2 s, and the new one never fails', async (t) => {
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
  t.equal(asked, 2, 'and the function is not asked at each request')
})

t.test('a function that fails or gives a weak key leaves the keys of before in use, and the log says so without ' +
  'them', async (t) => {
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

t.test('requests that come while the keys are being asked for wait for one question, and go on in their ' +
  'order', async (t) => {
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
