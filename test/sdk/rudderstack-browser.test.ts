import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'
import type { Test } from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { listeningGateway } from '../helpers/listening-gateway.js'
import type { ListeningGateway } from '../helpers/listening-gateway.js'
import { rudderPage, sourceConfig } from '../helpers/rudder-page.js'

for (
  const [form, options, answers] of [
    ['one event per request', {},
      ['alias', 'group', 'identify', 'page', 'track', 'track'].map((path) => `POST /v1/${path} 200`)],
    ['in batches', { queueOptions: { batch: { enabled: true, maxItems: 20, flushInterval: 200 } } }, [
      'POST /v1/batch 200'
    ]],
    ['by beacon', { useBeacon: true, beaconQueueOptions: { flushQueueInterval: 200 } }, [
      'POST /beacon/v1/batch?writeKey=KEY 200'
    ]]
  ] as const
) {
  t.test(`RudderStack's browser SDK (${form}): each call is stored as the matching event`, async (t) => {
    const shop = await openShop(t)
    if (shop === null) return
    await shop.load(options)
    await shop.run('browse()')
    const events = await shop.stored(6)
    const id = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
    const same = {
      messageId: id,
      anonymousId: id,
      authMethod: 'key',
      channel: 'web',
      originalTimestamp: /^\d{4}-.*Z$/,
      context: { library: { name: 'RudderLabs JavaScript SDK' }, page: { title: 'Shop', url: `${shop.origin}/` } }
    }
    // The requests, with one event each, are sent at the same time.
    const order = ['Viewed', 'page', 'identify', 'group', 'alias', 'Without properties']
    const place = ({ event, type }: Record<string, unknown>) => order.indexOf(String(event ?? type))
    t.match(events.sort((one, other) => place(one) - place(other)), [
      { ...same, type: 'track', event: 'Viewed', properties: { sku: 'a1' }, userId: '' },
      { ...same, type: 'page', name: 'Start', category: 'Docs', properties: { section: 2, title: 'Shop' } },
      { ...same, type: 'identify', userId: 'ann', context: { traits: { plan: 'pro' } } },
      { ...same, type: 'group', userId: 'ann', groupId: 'acme', traits: { seats: 3 } },
      { ...same, type: 'alias', userId: 'ann@example.com', previousId: 'ann' },
      { ...same, type: 'track', event: 'Without properties', properties: {}, userId: 'ann' }
    ])
    t.equal(new Set(events.map((event) => event['anonymousId'])).size, 1, 'the same visitor')
    const posts = shop.server.answers.filter((answer) => answer.startsWith('POST')).map((answer) =>
      answer.replace(shop.server.key, 'KEY')
    )
    t.same(posts.sort(), answers)
    t.same(shop.complaints, [])
  })

  t.test(`RudderStack's browser SDK (${form}): no event of a refused origin is stored`, async (t) => {
    const shop = await openShop(t, 'https://other.example.com')
    if (shop === null) return
    await shop.load(options)
    await shop.run('browse()')
    while (!shop.server.answers.some((answer) => answer.endsWith(' 403'))) await sleep(20)
    t.same(await shop.stored(0), [])
  })
}

t.test('with getSourceConfig the SDK sends no request to a control plane', async (t) => {
  const shop = await openShop(t)
  if (shop === null) return
  const urls: string[] = []
  shop.page.on('request', (request) => urls.push(new URL(request.url()).origin))
  await shop.load({ configUrl: undefined }, sourceConfig(shop.server.key))
  await shop.run('browse()')
  await shop.stored(6)
  t.same(new Set(urls), new Set([shop.server.origin]))
})

t.test("events of RudderStack's browser SDK through an outage are stored once each", async (t) => {
  const shop = await openShop(t)
  if (shop === null) return
  await shop.load({ queueOptions: { minRetryDelay: 100, backoffFactor: 1 } })
  shop.server.sink.fail('unconfirmed')
  await shop.run('send(10)')
  await shop.server.sink.failed(3)
  shop.server.sink.heal()
  const events = await shop.stored(10)
  t.same(events.map(({ event }) => event).sort(), Array.from({ length: 10 }, (_, n) => `Event ${n}`))
})

/** A page of an origin that the source allows, in Chromium; `null` without a browser. */
async function openShop (t: Test, allowed?: string) {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const origin = await rudderPage(t)
  const server: ListeningGateway = await listeningGateway(t, { source: { domains: [allowed ?? origin] } })
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(origin)

  return {
    server,
    page,
    origin,
    complaints,
    run: (script: string) => page.evaluate(script),
    load: (options: object, sourceConfig?: unknown) =>
      page.evaluate(`load(${
        JSON.stringify({
          writeKey: server.key,
          dataPlaneUrl: server.origin,
          sourceConfig,
          options: { configUrl: origin, ...options }
        })
      })`),
    /** Resolves with the stored events, oldest first, when their number is reached. */
    async stored (count: number) {
      for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
        const events = await server.stored()
        if (events.length === count) return events
        if (events.length > count || Date.now() > deadline) {
          throw new Error(
            `${events.length} of ${count} events: ${complaints.slice(-3).join('\n')} ${server.answers.join('; ')}`
          )
        }
      }
    }
  }
}
