import { Analytics } from '@segment/analytics-node'
import t from 'tap'

import { listeningGateway } from '../helpers/listening-gateway.js'
import { segmentSdk } from '../helpers/node-sdks.js'
import { assertStoredOnce, sdkCalls } from '../helpers/sdk-calls.js'
import { countBatches, testSdkLimits } from '../helpers/sdk-limits.js'

t.test("with only `host` set, each call of Segment's Node SDK is stored", async (t) => {
  const server = await listeningGateway(t)
  const analytics = new Analytics({ writeKey: server.key, host: server.origin })
  const timestamp = new Date('2026-01-02T03:04:05.678Z')
  analytics.track({ userId: 'ann', event: 'Order Done', properties: { total: 9.5 }, timestamp })
  analytics.page({
    anonymousId: 'visitor',
    category: 'Docs',
    name: 'Start',
    properties: { url: 'https://shop.example.com/start' }
  })
  analytics.screen({ userId: 'ann', name: 'Home' })
  analytics.identify({ userId: 'ann', traits: { plan: 'pro' }, context: { ip: '203.0.113.9' } })
  analytics.group({ userId: 'ann', groupId: 'acme', traits: { seats: 3 } })
  analytics.alias({ userId: 'ann', previousId: 'visitor' })
  await analytics.closeAndFlush()

  const id = /^node-next-\d+-.{36}$/
  t.match(await server.stored(), [
    {
      type: 'track',
      messageId: id,
      userId: 'ann',
      event: 'Order Done',
      properties: { total: 9.5 },
      originalTimestamp: timestamp.toISOString(),
      authMethod: 'key'
    },
    {
      type: 'page',
      messageId: id,
      anonymousId: 'visitor',
      name: 'Start',
      properties: { category: 'Docs', url: 'https://shop.example.com/start' }
    },
    { type: 'screen', messageId: id, userId: 'ann', name: 'Home' },
    {
      type: 'identify',
      messageId: id,
      userId: 'ann',
      traits: { plan: 'pro' },
      context: { library: { name: '@segment/analytics-node' }, ip: '127.0.0.1' }
    },
    { type: 'group', messageId: id, userId: 'ann', groupId: 'acme', traits: { seats: 3 } },
    { type: 'alias', messageId: id, userId: 'ann', previousId: 'visitor' }
  ])
  t.equal((await server.stored()).length, 6)
  const [order] = await server.stored()
  t.ok(Math.abs(Date.parse(String(order?.['timestamp'])) - timestamp.getTime()) < 10_000, String(order?.['timestamp']))
  t.same(server.answers, ['POST /v1/batch 200'])
})

t.test("600 events of Segment's Node SDK through an outage are stored once each", async (t) => {
  const server = await listeningGateway(t)
  const sdk = segmentSdk(server)
  const calls = sdkCalls(600)

  server.sink.fail('refused')
  sdk.send(calls.slice(0, 300))
  await server.sink.failed(20)
  t.equal((await server.stored()).length, 0, 'every batch was refused')
  server.sink.fail('unconfirmed')
  sdk.send(calls.slice(300))
  await server.sink.failed(40)
  server.sink.heal()
  await sdk.drained()

  t.same(sdk.errors, [])
  t.ok(countBatches(server, 503) >= 40, `${countBatches(server, 503)} answers of 503`)
  assertStoredOnce(t, calls, await server.stored())
})

testSdkLimits("Segment's Node SDK", segmentSdk)

t.test("a wrong key causes the SDK's error event without a retry, and no event is stored", async (t) => {
  const server = await listeningGateway(t)
  const sdk = segmentSdk({ ...server, key: server.key.replace(/.$/, (last) => last === 'a' ? 'b' : 'a') })
  sdk.send(sdkCalls(1))
  await sdk.drained()
  t.equal(sdk.errors.length, 1)
  t.same(server.answers, ['POST /v1/batch 401'])
  t.equal((await server.stored()).length, 0)
})
