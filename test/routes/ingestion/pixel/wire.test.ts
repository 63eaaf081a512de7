import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import t from 'tap'

import { openBrowser } from '../../../helpers/browser.js'
import { gateway } from '../../../helpers/gateway.js'
import { rawExchange, rawRequest } from '../../../helpers/raw-socket.js'

t.test('HEAD returns the headers of the image without a body, checks the key and stores nothing', async (t) => {
  const { app, key, stored } = await gateway(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const [query, status] of [[`wk=${key}&e=e`, 200], ['wk=x&e=e', 401], ['', 401]] as const) {
    for (const type of ['track', 'page', 'identify', 'group']) {
      const reply = await rawRequest(origin, [`HEAD /v1/pixel/${type}?${query} HTTP/1.1`, 'Host: x',
        'Connection: close'])
      t.equal(reply.statusCode, status, query)
      t.match(reply.head.toLowerCase(), /\r\ncontent-type: image\/gif\r\n/)
      t.match(reply.head.toLowerCase(), /\r\ncontent-length: 43\r\n/)
      t.match(reply.head.toLowerCase(), /\r\ncache-control: no-store, no-cache, must-revalidate\r\n/)
      t.equal(reply.body, '')
    }
  }
  t.equal((await stored()).length, 0)
})

t.test('GET returns exactly 43 bytes, and the connection serves the next request', async (t) => {
  const { app, key, stored } = await gateway(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const get = (query: string, ...lines: string[]): string =>
    [`GET /v1/pixel/track?${query} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
  const text = await rawExchange(
    origin,
    get(`wk=${key}&e=one`) + get('wk=x&e=two') + get(`wk=${key}&e=three`, 'Connection: close')
  )
  t.same([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status), ['200', '401', '200'])
  t.same([...text.matchAll(/GIF89a[^]{37}/g)].map(([gif]) => gif.endsWith('\x3b')), [true, true, true])
  t.equal(text.replace(/HTTP\/1\.1 [^]*?\r\n\r\nGIF89a[^]{37}/g, ''), '')
  t.same((await stored()).map(({ event }) => event), ['one', 'three'])
})

t.test('an image on a page of another site stores one event with that page, and has a size of one pixel', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app, key, stored } = await gateway(t, { server: { forceCloseConnections: true } })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const image = `${origin}/v1/pixel/page?wk=${key}&e=Sale&p.plan=pro`
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(
      `<!doctype html><meta name="referrer" content="unsafe-url"><link rel="icon" href="data:,"><img src="${image}" alt="">`
    )
  })
  t.teardown(() => {
    site.close()
    site.closeAllConnections()
  })
  await new Promise<void>((resolve) => {
    site.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://localhost:${(site.address() as AddressInfo).port}/sale?utm_source=news`

  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  await page.goto(url, { waitUntil: 'load' })
  t.same(
    await page.evaluate(
      '[document.images[0].naturalWidth, document.images[0].naturalHeight, document.images[0].complete]'
    ),
    [1, 1, true]
  )
  t.same(complaints, [])
  t.match(await stored(), [{
    type: 'page',
    name: 'Sale',
    properties: { plan: 'pro' },
    context: { page: { url }, campaign: { source: 'news' } }
  }])
  t.equal((await stored()).length, 1)
})
