import t from 'tap'
import type { Test } from 'tap'
import type { InjectOptions } from 'fastify'

import { generatePipelineKey } from '../../../signing/datafly/pipeline-key.js'
import { generateWebhookId } from '../../../signing/webhooks/index.js'
import { countingStore } from '../../helpers/counting-store.js'
import { gateway } from '../../helpers/gateway.js'

const EVENT = { userId: 'u1', event: 'E' }
const JSON_TYPE = { 'content-type': 'application/json' }

/** Every place where a client can send a key, or the id of a webhook. */
const WAYS: Array<[name: string, request: (key: string) => InjectOptions, make?: () => string]> = [
  ['a header',
    (key) => ({
      method: 'POST',
      url: '/v1/t',
      headers: { ...JSON_TYPE, authorization: `Bearer ${key}` },
      payload: EVENT
    })],
  ['a batch',
    (key) => ({
      method: 'POST',
      url: '/v1/batch',
      headers: { ...JSON_TYPE, authorization: `Bearer ${key}` },
      payload: { batch: [{ type: 'track', ...EVENT }] }
    })],
  ['a query', (key) => ({ method: 'POST', url: `/v1/t?wk=${key}`, headers: JSON_TYPE, payload: EVENT })],
  ['a pixel', (key) => ({ url: `/v1/pixel/track?wk=${key}&e=E&uid=u1` })],
  ['a body', (key) => ({ method: 'POST', url: '/v1/t', headers: JSON_TYPE, payload: { ...EVENT, writeKey: key } })],
  ['a webhook', (id) => ({ method: 'POST', url: `/v1/webhook?source=${id}`, headers: JSON_TYPE, payload: EVENT }),
    generateWebhookId]
]

const liveKey = () => generatePipelineKey('live')

async function made (t: Test, guessLimit = { max: 5, timeWindow: 60_000 }) {
  const backend = countingStore()
  const { store, lookedUp } = backend
  const { app, key } = await gateway(t, { store, ingestion: { guessLimit, identityCookie: false } })
  lookedUp.length = 0
  const send = async (request: InjectOptions, remoteAddress = '192.0.2.1') =>
    (await app.inject({ ...request, remoteAddress })).statusCode
  return { backend, lookedUp, key, send }
}

for (const [name, request, make = liveKey] of WAYS) {
  t.test(`parallel requests with different unknown keys in ${name} cause at most the limited number of ` +
    'look-ups', async (t) => {
    const { lookedUp, send } = await made(t)
    const statuses = await Promise.all(Array.from({ length: 40 }, () => send(request(make()))))
    t.equal(lookedUp.length, 5)
    t.same(statuses.filter((status) => status === 401).length, 5)
    t.same(statuses.filter((status) => status === 429).length, 35)
  })

  t.test(`repeated unknown keys in ${name} count each time that they are looked up`, async (t) => {
    const { lookedUp, send } = await made(t)
    const keys = [make(), make(), make()]
    for (let round = 0; round < 10; round++) await Promise.all(keys.map(async (key) => send(request(key))))
    t.ok(lookedUp.length <= 5, `${lookedUp.length} look-ups`)
    t.equal(
      await send(request(keys[0] ?? '')),
      401,
      'above the limit the cache still refuses a known unknown key'
    )
    t.equal(await send(request(make())), 429)
    t.equal(await send(request(make()), '192.0.2.2'), 401, 'from another address')
  })
}

t.test('parallel requests with one unknown key count as one guess, and requests with a known key do not ' +
  'count', async (t) => {
  const { lookedUp, key, send } = await made(t)
  const [, header] = WAYS[0] ?? []
  if (header === undefined) return
  t.same(new Set(await Promise.all(Array.from({ length: 40 }, () => send(header(key))))), new Set([200]))
  const wrong = liveKey()
  t.same(new Set(await Promise.all(Array.from({ length: 40 }, () => send(header(wrong))))), new Set([401]))
  lookedUp.length = 0
  for (let at = 0; at < 4; at++) t.equal(await send(header(liveKey())), 401)
  t.equal(await send(header(liveKey())), 429)
  t.equal(lookedUp.length, 4)
  t.equal(await send(header(key)), 200)
})

t.test('failed look-ups do not count as guesses', async (t) => {
  const { backend, key, send } = await made(t)
  const [, header] = WAYS[0] ?? []
  if (header === undefined) return
  backend.isAway = true
  for (let at = 0; at < 20; at++) t.equal(await send(header(liveKey())), 500)
  backend.isAway = false
  t.equal(await send(header(key)), 200)
  t.equal(await send(header(liveKey())), 401)
})
