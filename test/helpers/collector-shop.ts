import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'

import type { GatewayOptions } from './gateway.js'
import { listeningGateway } from './listening-gateway.js'
import type { ListeningGateway } from './listening-gateway.js'
import { until } from './until.js'

export interface ShopOptions {
  /** Further attributes of the script tag. */
  attributes?: string
  /** What comes before the script tag. */
  head?: string
  /** What comes in its place. */
  tags?(origin: string, key: string): string
  /** Whether the title comes after the script. Default: before. */
  titleLast?: boolean
  /** Headers of the pages. */
  headers?(origin: string): Record<string, string>
  /** Whether the source knows the shop's origin. Default: it does. */
  allowed?: boolean
  gateway?: GatewayOptions
}

export type StoredEvent = Record<string, unknown> & { context: Record<string, Record<string, unknown>> }

export interface Shop {
  server: ListeningGateway
  /** Of the pages, which is not the server's. */
  origin: string
  context: BrowserContext
  page: Page
  /** What the pages wrote into the console as errors and warnings. */
  complaints: string[]
  /** How many events each batch had that left the browser, as far as it has told. */
  batches: number[]
  /** The same, once it has told of so many events: that may be after they are stored. */
  sent(count: number): Promise<number[]>
  /** Opens a path, whose title it is; `/plain` and what is below it has no collector. */
  open(path?: string): Promise<void>
  /** Runs an expression in the page. */
  run(script: string): Promise<unknown>
  /**
   * Runs statements in the page, which leaves for `/plain` in the same turn; resolves when that is there: a context
   * that closes while a
   * navigation commits hangs in Chromium.
   */
  leave(script: string): Promise<void>
  /** Resolves with what is stored, oldest first, when it is so many events; rejects if it becomes more. */
  stored(count: number): Promise<StoredEvent[]>
  /** The same, as their types and names. */
  names(count: number): Promise<string[]>
  /**
   * Resolves with method, path and status of all requests but GET, once there are so many: a response can end after its
   * events are stored.
   */
  answered(count: number): Promise<string[]>
}

/** A shop whose pages load the collector from a gateway of another origin. */
export async function collectorShop (t: Test, browser: Browser, options: ShopOptions = {}): Promise<Shop> {
  let page = ''
  let headers: Record<string, string> = {}
  const shop = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop').pathname
    response.writeHead(200, { ...headers, 'content-type': 'text/html; charset=utf-8' })
    const parts = [`<title>${path}</title><link rel="icon" href="data:,">`, path.startsWith('/plain') ? '' : page]
    if (options.titleLast === true) parts.reverse()
    response.end(`<!doctype html>${parts.join('')}<p>${path}</p>`)
  })
  await new Promise<void>((resolve) => {
    shop.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() =>
    new Promise((resolve) => {
      shop.close(resolve)
      shop.closeAllConnections()
    })
  )
  const origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
  const domains = [options.allowed === false ? 'https://other.example.com' : origin]
  const server = await listeningGateway(t, { ...options.gateway, source: { domains, ...options.gateway?.source } })
  const prefix = options.gateway?.ingestion?.prefix ?? ''
  const tag = `<script async src="${server.origin}${prefix}/d.js" data-pipeline-key="${server.key}" ${
    options.attributes ?? ''
  }></script>`
  page = (options.head ?? '') + (options.tags?.(server.origin, server.key) ?? tag)
  headers = options.headers?.(server.origin) ?? {}

  const context = await browser.newContext()
  t.teardown(() => context.close())
  const complaints: string[] = []
  const batches: number[] = []
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('request', (request) => {
    if (request.method() === 'POST' && request.url().includes('/v1/batch')) {
      batches.push(JSON.parse(request.postData() ?? '{"batch":[]}').batch.length)
    }
  })
  const first = await context.newPage()

  async function sent (count: number): Promise<number[]> {
    await until(`${count} events have left the browser`, () => batches.reduce((sum, size) => sum + size, 0) >= count)
    return batches
  }

  async function stored (count: number): Promise<StoredEvent[]> {
    let events: StoredEvent[] = []
    await until(`${count} events are stored`, async () => {
      events = await server.stored() as StoredEvent[]
      return events.length >= count
    }, 60_000).catch(() => {})
    if (events.length === count) return events
    const found = events.map(nameOf).join(', ')
    throw new Error(`${events.length} events are stored, not ${count}: ${found}; ${complaints.join('; ')}`)
  }

  return {
    server,
    origin,
    context,
    page: first,
    complaints,
    batches,
    async open (path = '/') {
      await first.goto(origin + path)
    },
    run: (script) => first.evaluate(script),
    async leave (script) {
      await Promise.all([first.waitForURL('**/plain'), first.evaluate(`${script}; location.href = '/plain'`)])
    },
    stored,
    sent,
    names: async (count) => (await stored(count)).map(nameOf),
    async answered (count) {
      const all = () => server.answers.filter((answer) => !answer.startsWith('GET'))
      await until(`${count} requests are answered`, () => all().length >= count)
      return all()
    }
  }
}

function nameOf (event: Record<string, unknown>): string {
  const { type, event: name, name: title, context } = event as {
    type: string
    event?: string
    name?: string
    context?: { page?: { path?: string } }
  }
  return `${type} ${name ?? title ?? context?.page?.path}`
}
