import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { WebSocket } from 'undici'

import type { DemoApp } from './server-app.js'

export interface WidgetPage {
  page: Page
  /** What the page complained about in the console, and its uncaught errors. */
  complaints: string[]
  /** The tokens that the feed was shown, oldest first. */
  feedTokens: string[]
}

/** A script of a page. */
export interface PageScript {
  code: string
  isModule: boolean
}

/**
 * Opens a page of the built-in server's origin with `<div id="widget">`, the mock `newSimpleChartWidget` and a script
 * that uses dxFeed's own addresses (`client.dxfeed.com`), which lead to the mock product. The page's clock stands still
 * until `page.clock` lets it run.
 */
export async function widgetPage (
  t: Test,
  browser: Browser,
  { app, products: { dxfeed } }: DemoApp,
  { code, isModule }: PageScript
): Promise<WidgetPage> {
  const [mockOrigin = '', feedPath = ''] = [dxfeed?.mockOrigin ?? '', dxfeed?.paths?.feedPath ?? '']
  const page = await browser.newPage()
  t.teardown(() => page.close())
  const complaints: string[] = []
  const feedTokens: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  const html = '<!doctype html><title>Shop</title><link rel="icon" href="data:,"><div id="widget"></div>' +
    `<script src="/simple-chart-widget.js"></script><script${isModule ? ' type="module"' : ''}>${code}</script>`
  await page.route(`${app.listeningOrigin}/shop`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.route(`${app.listeningOrigin}/simple-chart-widget.js`, async (route) => {
    const script = await fetch(`${mockOrigin}/simple-chart-widget.js`)
    await route.fulfill({ contentType: 'text/javascript', body: await script.text() })
  })
  await page.route(/^https:\/\/client\.dxfeed\.com\//, async (route) => {
    const { pathname } = new URL(route.request().url())
    const { authorization } = route.request().headers()
    const response = await fetch(
      mockOrigin + pathname,
      authorization === undefined ? {} : { headers: { authorization } }
    )
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' }
    await route.fulfill({
      status: response.status,
      headers,
      contentType: 'application/json',
      body: await response.text()
    })
  })
  await page.routeWebSocket('wss://client.dxfeed.com/dxlink-ws', (client) => {
    const feed = new WebSocket(feedPath)
    const opened = new Promise((resolve) => feed.addEventListener('open', resolve))
    client.onMessage(async (message) => {
      const { type, token } = JSON.parse(String(message)) as { type: string, token?: string }
      if (type === 'AUTH') feedTokens.push(token ?? '')
      await opened
      feed.send(message)
    })
    feed.addEventListener('message', ({ data }) => client.send(String(data)))
    client.onClose(() => feed.close())
  })
  await page.clock.install()
  await page.goto(`${app.listeningOrigin}/shop`)
  return { page, complaints, feedTokens }
}
