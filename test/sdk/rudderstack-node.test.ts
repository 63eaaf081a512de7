import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import t from 'tap'

import { listeningGateway } from '../helpers/listening-gateway.js'
import { rudderSdk } from '../helpers/node-sdks.js'
import { assertStoredOnce, sdkCalls } from '../helpers/sdk-calls.js'
import { countBatches, testSdkLimits } from '../helpers/sdk-limits.js'

for (const gzip of [true, false]) {
  const form = gzip ? 'gzipped, as by default' : 'plain'

  t.test(`RudderStack's Node SDK (${form}): each of its calls is stored`, async (t) => {
    const server = await listeningGateway(t)
    const analytics = new RudderAnalytics(server.key, { dataPlaneUrl: server.origin, flushAt: 100, gzip })
    // The SDK sends its first call at once, alone.
    analytics.track({ userId: 'ann', event: 'Order Done', properties: { total: 9.5 } })
    analytics.page({
      anonymousId: 'visitor',
      category: 'Docs',
      name: 'Start',
      properties: { url: 'https://shop.example.com/start' }
    })
    analytics.screen({ userId: 'ann', name: 'Home' })
    analytics.identify({ userId: 'ann', traits: { plan: 'pro' } })
    analytics.group({ userId: 'ann', groupId: 'acme', traits: { seats: 3 } })
    analytics.alias({ userId: 'ann', previousId: 'visitor' })
    await analytics.flush()

    const id = /^.{36}$/
    t.match(await server.stored(), [
      {
        type: 'track',
        messageId: id,
        userId: 'ann',
        event: 'Order Done',
        properties: { total: 9.5 },
        channel: 'server',
        authMethod: 'key'
      },
      {
        type: 'page',
        messageId: id,
        anonymousId: 'visitor',
        name: 'Start',
        category: 'Docs',
        properties: { url: 'https://shop.example.com/start' }
      },
      { type: 'screen', messageId: id, userId: 'ann', name: 'Home' },
      {
        type: 'identify',
        messageId: id,
        userId: 'ann',
        traits: { plan: 'pro' },
        context: { traits: { plan: 'pro' }, library: { name: 'analytics-node' } }
      },
      { type: 'group', messageId: id, userId: 'ann', groupId: 'acme', traits: { seats: 3 } },
      { type: 'alias', messageId: id, userId: 'ann', previousId: 'visitor' }
    ])
    t.equal((await server.stored()).length, 6)
    t.same(server.answers, ['POST /v1/batch 200', 'POST /v1/batch 200'])
  })

  t.test(`600 events of RudderStack's Node SDK (${form}) through an outage are stored once each`, async (t) => {
    const server = await listeningGateway(t)
    const sdk = rudderSdk(server, { gzip })
    const calls = sdkCalls(600)

    server.sink.fail('refused')
    sdk.send(calls)
    await server.sink.failed(2)
    t.equal((await server.stored()).length, 0, 'nothing was stored yet')
    server.sink.fail('unconfirmed')
    await server.sink.failed(3)
    server.sink.heal()
    await sdk.drained()

    t.same(sdk.errors, [])
    t.ok(countBatches(server, 503) >= 3, `${countBatches(server, 503)} answers of 503`)
    assertStoredOnce(t, calls, await server.stored())
  })
}

testSdkLimits("RudderStack's Node SDK", (server) => rudderSdk(server))
