import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { clientNetwork } from '../../../lib/http/client-address.js'
import pipelineKey from '../../../plugins/pipeline-key/index.js'
import type { PipelineKeyOptions } from '../../../plugins/pipeline-key/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { makeSource } from '../../helpers/source.js'

async function counted (t: Test, options: PipelineKeyOptions = {}) {
  const store = memoryStore()
  const asked: string[] = []
  const resolve = store.sources.resolve.bind(store.sources)
  Object.defineProperty(store.sources, 'resolve', {
    value: (key: string) => {
      asked.push(key)
      return resolve(key)
    }
  })
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await app.register(tokenStore, { store })
  await app.register(pipelineKey, options)
  app.get('/x', { config: { gatehouse: { pipelineKey: true } } }, async () => ({}))
  const made = await makeSource(store)
  const get = async (key: string, ip = '192.0.2.1') => {
    return app.inject({ url: '/x', headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': ip } })
  }
  return { store, asked, get, ...made }
}

t.test('at most 500 random keys in 10 s are looked up, the others are 429, and a valid key still works', async (t) => {
  const { asked, get, key } = await counted(t)
  t.equal((await get(key)).statusCode, 200)
  asked.length = 0
  const statuses: Record<number, number> = {}
  for (let round = 0; round < 100; round++) {
    const replies = await Promise.all(Array.from({ length: 100 }, () => get(generatePipelineKey('live'))))
    for (const { statusCode } of replies) statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
  }
  t.equal(statuses[401], asked.length)
  t.ok(asked.length >= 500 && asked.length <= 1_500, `${asked.length} look-ups, no more than 500 each 10 seconds`)
  t.equal((statuses[401] ?? 0) + (statuses[429] ?? 0), 10_000)
  const limited = await get(generatePipelineKey('live'))
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.ok(Number(limited.headers['retry-after']) >= 1 && Number(limited.headers['retry-after']) <= 10)
  t.equal((await get(key)).statusCode, 200)
})

t.test('addresses of one /64 share the limit, and another network has a separate limit', async (t) => {
  const { get } = await counted(t, { guessLimit: { max: 3, timeWindow: 60_000 } })
  for (const ip of ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:0db8:0000:0001:ffff::3']) {
    t.equal((await get(generatePipelineKey('live'), ip)).statusCode, 401)
  }
  t.equal((await get(generatePipelineKey('live'), '2001:db8:0:1:a:b:c:d')).statusCode, 429)
  t.equal((await get(generatePipelineKey('live'), '2001:db8:0:2::1')).statusCode, 401)
  t.equal((await get(generatePipelineKey('live'), '192.0.2.1')).statusCode, 401)
})

t.test('a repeated wrong key and malformed keys do not count as guesses', async (t) => {
  const { get, asked } = await counted(t, { guessLimit: { max: 2, timeWindow: 60_000 } })
  const wrong = generatePipelineKey('live')
  for (let i = 0; i < 10; i++) t.equal((await get(wrong)).statusCode, 401)
  asked.length = 0
  for (let i = 0; i < 10; i++) t.equal((await get('nonsense')).statusCode, 401)
  t.equal(asked.length, 0, 'a malformed key is not looked up')
  t.equal((await get(generatePipelineKey('live'))).statusCode, 401)
  t.equal((await get(generatePipelineKey('live'))).statusCode, 429)
})

t.test('the limit ends with its window, and guessLimit: false disables it', async (t) => {
  const { get } = await counted(t, { guessLimit: { max: 1, timeWindow: 50 } })
  t.equal((await get(generatePipelineKey('live'))).statusCode, 401)
  t.equal((await get(generatePipelineKey('live'))).statusCode, 429)
  let status = 429
  for (const end = Date.now() + 60_000; status === 429 && Date.now() < end;) {
    status = (await get(generatePipelineKey('live'))).statusCode
  }
  t.equal(status, 401)
  const free = await counted(t, { guessLimit: false })
  for (let i = 0; i < 600; i++) if ((await free.get(generatePipelineKey('live'))).statusCode !== 401) t.fail('limited')
})

t.test('clientNetwork returns an IPv4 address or the /64 of an IPv6 address', async (t) => {
  for (
    const [ip, network] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::1', '::/64'],
      ['::', '::/64'],
      ['2001:db8::', '2001:db8::/64'],
      ['2001:DB8:0:01:2:3:4:5', '2001:db8:0:1::/64'],
      ['fe80::1%eth0', 'fe80::/64'],
      ['1::2:3:4:5:6', '1:0:0:2::/64']
    ] as const
  ) t.equal(clientNetwork(ip), network, ip)
})
