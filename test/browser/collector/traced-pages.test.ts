import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

/** Adds headers to every request, as tracing libraries do. */
const TRACED = `<script>{
  const tracing = {
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: 'vendor=1',
    baggage: 'sentry-environment=production',
    'sentry-trace': '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1',
    'x-datadog-trace-id': '1234567890'
  }
  const plain = window.fetch
  window.fetch = (url, options = {}) => {
    const headers = new Headers(options.headers)
    for (const [name, value] of Object.entries(tracing)) headers.set(name, value)
    return plain(url, { ...options, headers })
  }
}</script>`

t.test('the events of a page with tracing headers on its requests are stored', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED })
  await shop.open('/a')
  await shop.run("_df.track('Hello')")
  t.same(await shop.names(2), ['page /a', 'track Hello'])
  t.ok(shop.server.answers.includes('OPTIONS /v1/batch 204'))
  t.same(shop.complaints, [])
})

t.test('events that a traced page sends when it is left are stored', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED })
  await shop.open('/a')
  await shop.names(1)
  await shop.leave("_df.track('Clicked')")
  t.same(await shop.names(2), ['page /a', 'track Clicked'])
})

t.test('events of a traced page are refused if the source does not allow its origin', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED, allowed: false })
  await shop.open('/a')
  await shop.page.waitForFunction(
    'performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/v1/batch"))'
  )
  await shop.open('/plain')
  t.same(await shop.names(0), [])
  t.notOk(shop.server.answers.some((answer) => answer.endsWith(' 200') && answer.startsWith('POST')))
})
