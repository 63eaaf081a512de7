import t from 'tap'

import { openBrowser } from '../../helpers/browser.js'
import { collectorShop } from '../../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

/** What tracing libraries do to `fetch` and `XMLHttpRequest`: headers of their own on every request. */
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

t.test('the events of a page whose requests carry tracing headers arrive', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED })
  await shop.open('/a')
  await shop.run("_df.track('Hello')")
  t.same(await shop.names(2), ['page /a', 'track Hello'])
  t.ok(shop.server.answers.includes('OPTIONS /v1/batch 204'))
  t.same(shop.complaints, [])
})

t.test('events that such a page sends when it is left are stored', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED })
  await shop.open('/a')
  await shop.names(1)
  await shop.leave("_df.track('Clicked')")
  t.same(await shop.names(2), ['page /a', 'track Clicked'])
})

t.test('events of such a page are refused if the source does not allow its origin', async (t) => {
  const shop = await collectorShop(t, browser, { head: TRACED, allowed: false })
  await shop.open('/a')
  await shop.page.waitForFunction(
    'performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/v1/batch"))'
  )
  await shop.open('/plain')
  t.same(await shop.names(0), [])
  t.notOk(shop.server.answers.some((answer) => answer.endsWith(' 200') && answer.startsWith('POST')))
})
