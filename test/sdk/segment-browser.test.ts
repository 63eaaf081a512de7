import { setTimeout as sleep } from 'node:timers/promises'

import type { BrowserContextOptions } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { listeningGateway } from '../helpers/listening-gateway.js'
import type { ListeningGateway } from '../helpers/listening-gateway.js'
import { sdkPage } from '../helpers/sdk-page.js'
import { assertStoredOnce, sdkCalls } from '../helpers/sdk-calls.js'
import type { SdkCall } from '../helpers/sdk-calls.js'
import type { GatewayOptions } from '../helpers/gateway.js'

const BATCHING = { strategy: 'batching', config: { size: 20, timeout: 200 } }

for (const deliveryStrategy of [undefined, BATCHING]) {
  const form = deliveryStrategy === undefined ? 'one event per request' : 'in batches'

  t.test(`Segment's browser SDK (${form}): each call of an anonymous visitor is stored`, async (t) => {
    const shop = await openShop(t)
    if (shop === null) return
    await shop.load({ deliveryStrategy })
    await shop.run('browse()')
    await shop.stored(6)
    const messageId = /^ajs-next-\d+-.{36}$/
    const anonymousId = /^.{36}$/
    t.match(await shop.server.stored(), [
      {
        type: 'track',
        messageId,
        anonymousId,
        userId: null,
        event: 'Viewed',
        properties: { sku: 'a1' },
        context: { page: { title: 'Shop' } },
        authMethod: 'key'
      },
      {
        type: 'page',
        messageId,
        anonymousId,
        userId: null,
        name: 'Start',
        properties: { category: 'Docs', title: 'Shop' }
      },
      { type: 'screen', messageId, anonymousId, userId: null, name: 'Home' },
      { type: 'group', messageId, anonymousId, userId: null, groupId: 'acme', traits: { seats: 3 } },
      { type: 'identify', messageId, anonymousId, userId: 'ann', traits: { plan: 'pro' } },
      { type: 'alias', messageId, anonymousId, userId: 'ann', previousId: 'before' }
    ])
    const paths = deliveryStrategy === undefined ? ['t', 'p', 's', 'g', 'i', 'a'] : ['b']
    t.same(shop.server.answers, paths.flatMap((path) => [`OPTIONS /v1/${path} 204`, `POST /v1/${path} 200`]))
    t.same(shop.complaints, [])
  })

  t.test(`600 events of Segment's browser SDK (${form}) through an outage are stored once each`, async (t) => {
    const shop = await openShop(t)
    if (shop === null) return
    const { sink, answers } = shop.server
    const calls = sdkCalls(600, 'ann')
    await shop.load({ deliveryStrategy })

    sink.fail('refused')
    await shop.send(calls.slice(0, 300))
    t.equal((await shop.server.stored()).length, 0, 'all events were refused')
    sink.fail('unconfirmed')
    await shop.send(calls.slice(300))
    sink.heal()
    await shop.stored(600)

    assertStoredOnce(t, calls, await shop.server.stored())
    t.ok(answers.some((answer) => / 503$/.test(answer)))
  })

  for (
    const [limit, options] of [
      ['requests of its address', {
        ingestion: { rateLimit: { max: deliveryStrategy === undefined ? 50 : 2, timeWindow: 1_000 } }
      }],
      ['events of its source', { source: { rateLimit: deliveryStrategy === undefined ? 40 : 10 } }]
    ] as const
  ) {
    t.test(`Segment's browser SDK (${form}) retries after a limit of the ${limit} and loses no event`, async (t) => {
      const shop = await openShop(t, options)
      if (shop === null) return
      const calls = sdkCalls(120, 'ann')
      await shop.load({ deliveryStrategy })
      await shop.send(calls)
      await shop.stored(120)
      assertStoredOnce(t, calls, await shop.server.stored())
      t.ok(shop.server.answers.some((answer) => /^POST .* 429$/.test(answer)))
    })
  }
}

t.test("a batch of over 500 small events, which Segment's browser SDK sends after an outage, " +
  'is accepted', async (t) => {
  // Browsers with shorter names than Chromium's make smaller events.
  const shop = await openShop(t, {}, { userAgent: 'Shop/1.0' })
  if (shop === null) return
  const calls = Array.from(
    { length: 700 },
    (): SdkCall => ({ type: 'track', message: { messageId: crypto.randomUUID(), event: 'e' } })
  )
  await shop.load({ deliveryStrategy: BATCHING })
  shop.server.sink.fail('refused')
  await shop.send(calls)
  await shop.server.sink.failed(1)
  shop.server.sink.heal()
  await shop.stored(700)
  assertStoredOnce(t, calls, await shop.server.stored())
  t.ok(shop.largestBatch() > 500, `${shop.largestBatch()} events at once`)
})

t.test('events that wait for their batch when the page ends are sent by the browser afterwards', async (t) => {
  const shop = await openShop(t)
  if (shop === null) return
  const calls = sdkCalls(15, 'ann')
  await shop.load({ deliveryStrategy: { strategy: 'batching', config: { size: 100, timeout: 60_000 } } })
  await shop.send(calls)
  t.equal((await shop.server.stored()).length, 0)
  await shop.leave()
  await shop.stored(15)
  assertStoredOnce(t, calls, await shop.server.stored())
})

t.test('events that wait because of an outage when the page ends are sent by the next page', async (t) => {
  const shop = await openShop(t)
  if (shop === null) return
  const calls = sdkCalls(15, 'ann')
  await shop.load({})
  shop.server.sink.fail('refused')
  await shop.send(calls)
  await shop.leave()
  shop.server.sink.heal()
  t.equal((await shop.server.stored()).length, 0)
  await shop.open()
  await shop.load({})
  await shop.stored(15)
  assertStoredOnce(t, calls, await shop.server.stored())
})

interface Settings {
  deliveryStrategy?: object | undefined
}

/** A page of an origin that the source allows, in Chromium; `null` without a browser. */
async function openShop (t: Test, options: GatewayOptions = {}, context: BrowserContextOptions = {}) {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const origin = await sdkPage(t)
  const server: ListeningGateway = await listeningGateway(t, {
    ...options,
    source: { ...options.source, domains: [origin] }
  })
  const page = await browser.newPage(context)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  let largestBatch = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/v1/b')) largestBatch = Math.max(largestBatch, request.postDataJSON().batch.length)
  })
  const open = () => page.goto(origin)
  await open()

  return {
    server,
    complaints,
    largestBatch: () => largestBatch,
    open,
    leave: () => page.goto('about:blank'),
    run: (script: string) => page.evaluate(script),
    load: ({ deliveryStrategy }: Settings) =>
      page.evaluate(`load(${
        JSON.stringify({
          writeKey: server.key,
          apiHost: `${new URL(server.origin).host}/v1`,
          deliveryStrategy,
          metrics: { sampleRate: 0 }
        })
      })`),
    send: (calls: readonly SdkCall[]) => page.evaluate(`send(${JSON.stringify(calls)})`),
    /** Resolves when the given number of events is stored. */
    async stored (count: number) {
      for (const deadline = Date.now() + 60_000; (await server.stored()).length < count; await sleep(20)) {
        if (Date.now() > deadline) {
          throw new Error(
            `only ${(await server.stored()).length} of ${count} events: ${complaints.slice(-3).join('\n')}`
          )
        }
      }
    }
  }
}
