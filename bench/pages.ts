// Measures the pages of the built-in server in Chromium on loopback, each with an empty cache: npm run bench:pages.
// First paint and first contentful paint, the time in which the main thread was blocked (the part of each task beyond
// 50 ms), the cumulative layout shift, and the transferred bytes until nothing more is requested. ROUNDS=7
import type { Browser, BrowserContext, Page } from 'playwright-core'

import { openConsole } from '../test/helpers/console.js'
import { describeHost } from './rounds.js'

interface Figures {
  firstPaint: number
  firstContent: number
  blocked: number
  shift: number
  kilobytes: number
  requests: number
}

const ROUNDS = Number(process.env.ROUNDS ?? 7)
const PAGES: ReadonlyArray<{ title: string, path: string, isSignedIn: boolean }> = [
  { title: 'start page', path: '', isSignedIn: false },
  { title: 'console, sign-in', path: 'console/sources', isSignedIn: false },
  { title: 'console, overview with charts', path: 'console/', isSignedIn: true },
  { title: 'console, sources', path: 'console/sources', isSignedIn: true },
  { title: 'console, events', path: 'console/events', isSignedIn: true },
  { title: 'guide', path: 'guide/ingestion', isSignedIn: false },
  { title: 'API documentation', path: 'docs', isSignedIn: false }
]

/** Runs in the page, before its scripts. */
const OBSERVE = `
  window.figures = { blocked: 0, shift: 0 }
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.figures.blocked += Math.max(0, duration - 50)
  }).observe({ type: 'longtask', buffered: true })
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.figures.shift += value
  }).observe({ type: 'layout-shift', buffered: true })`

async function measure (page: Page, url: string): Promise<Figures> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.clearBrowserCache')
  let [bytes, requests] = [0, 0]
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
    requests++
  })
  await page.addInitScript(OBSERVE)
  await page.goto(url, { waitUntil: 'load' })
  // Embeds and lists load after the page.
  await page.waitForTimeout(2_500)
  const seen = await page.evaluate(`({
    ...window.figures,
    paints: performance.getEntriesByType('paint').map(({ name, startTime }) => [name, startTime])
  })`) as { blocked: number, shift: number, paints: Array<[string, number]> }
  const paints = new Map(seen.paints)
  return {
    firstPaint: paints.get('first-paint') ?? NaN,
    firstContent: paints.get('first-contentful-paint') ?? NaN,
    blocked: seen.blocked,
    shift: seen.shift,
    kilobytes: bytes / 1_024,
    requests
  }
}

function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

/** A context with an empty cache, in which the owner is signed in. */
async function signedIn (
  browser: Browser,
  url: string,
  signIn: (page: Page) => Promise<void>
): Promise<BrowserContext> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  await signIn(page)
  await page.getByRole('heading', { name: 'Profile' }).waitFor()
  await page.close()
  return context
}

const endings: Array<() => unknown> = []
// The part of a test object that the helpers use.
const run = { teardown: (ending: () => unknown) => endings.push(ending), pass: () => {} }
const parts = await openConsole(run as unknown as Parameters<typeof openConsole>[0])
if (parts === null) throw new Error('This bench needs Chromium')
const { browser, origin, at, signIn } = parts
console.log(`${describeHost()}, Chromium ${browser.version()}, median of ${ROUNDS} loads, empty cache, 1280 x 720\n`)
console.log('| page | first paint ms | first content ms | blocked ms | layout shift | KB transferred | requests |')
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const { title, path, isSignedIn } of PAGES) {
  const rounds: Figures[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const context = isSignedIn
      ? await signedIn(browser, at('profile'), (page) => signIn(undefined, undefined, page))
      : await browser.newContext()
    rounds.push(await measure(await context.newPage(), `${origin}/${path}`))
    await context.close()
  }
  const middle = (name: keyof Figures) => median(rounds.map((figures) => figures[name]))
  console.log(`| ${
    [title, Math.round(middle('firstPaint')), Math.round(middle('firstContent')), Math.round(middle('blocked')),
      middle('shift').toFixed(3), middle('kilobytes').toFixed(0), middle('requests')].join(' | ')
  } |`)
}
for (const ending of endings.reverse()) await ending()
