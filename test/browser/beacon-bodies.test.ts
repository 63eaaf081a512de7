import t from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { collectorShop } from '../helpers/collector-shop.js'

const browser = await openBrowser(t)
if (browser === null) process.exit(0)

t.test('sendBeacon stores an event from each kind of body that has its JSON', async (t) => {
  const shop = await collectorShop(t, browser, { tags: () => '' })
  await shop.open('/a')
  await shop.run(`{
    const url = '${shop.server.origin}/v1/t?wk=${shop.server.key}'
    const text = (event) => JSON.stringify({ event })
    navigator.sendBeacon(url, text('string'))
    navigator.sendBeacon(url, new Blob([text('blob without a type')]))
    navigator.sendBeacon(url, new Blob([text('blob of JSON')], { type: 'application/json' }))
    navigator.sendBeacon(url, new Blob([text('blob of text')], { type: 'text/plain' }))
    navigator.sendBeacon(url, new TextEncoder().encode(text('bytes')))
    navigator.sendBeacon(url, new TextEncoder().encode(text('buffer')).buffer)
    navigator.sendBeacon('${shop.server.origin}/v1/batch?wk=${shop.server.key}', new Blob([JSON.stringify({ batch: [{ type: 'track', event: 'batch' }] })]))
  }`)
  const names = (await shop.stored(7)).map(({ event }) => event).sort()
  t.same(names, ['batch', 'blob of JSON', 'blob of text', 'blob without a type', 'buffer', 'bytes', 'string'])
})
