import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'

import { openBrowser } from './browser.js'
import { demoApp } from './server-app.js'
import type { DemoApp } from './server-app.js'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

export interface Console extends DemoApp {
  browser: Browser
  context: BrowserContext
  page: Page
  /** The origin of the server. */
  origin: string
  /** The URL of a page of the console. */
  at (path: string): string
  /** Errors in the console of the browser, violated policies and requests to other hosts: a test expects none. */
  complaints: string[]
  /** Fills in and sends the sign-in of the current page. Default: the owner of the first start. */
  signIn (email?: string, password?: string, on?: Page): Promise<void>
  /** The access token of the owner, for calls beside the browser. */
  ownerToken (): Promise<string>
}

export interface ConsoleOptions {
  variables?: Record<string, string>
  /** `localhost` allows passkeys. Default: 127.0.0.1. */
  host?: 'localhost' | '127.0.0.1'
  colorScheme?: 'light' | 'dark'
  viewport?: { width: number, height: number }
  identityMocks?: boolean
  /** The page shows pages of the mock products, so requests to them are expected. */
  productFrames?: true
}

/** The built-in server with its console, and a page; `null` without a browser. */
export async function openConsole (t: Test, options: ConsoleOptions = {}): Promise<Console | null> {
  const { variables = {}, host = '127.0.0.1', colorScheme = 'light', identityMocks = false, productFrames = false } = options
  const browser = await openBrowser(t)
  if (browser === null) return null
  // A walk through the pages is faster than a person.
  const limits = { ADMIN_RATE_MAX: '10000', LOGIN_RATE_MAX: '1000' }
  const demo = await demoApp(t, { ...limits, ...variables }, { listen: true, identityMocks })
  const address = demo.app.server.address()
  const origin = `http://${host}:${typeof address === 'object' ? address?.port : ''}`
  const { viewport = { width: 1280, height: 800 } } = options
  const context = await browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  const { databrain, boldbi, dxfeed } = demo.products
  const products = [databrain, boldbi, dxfeed].map((product) => product?.mockOrigin ?? '')
  watch(page, origin, complaints, productFrames ? products : [])
  const { email: owner, generatedPassword } = demo.first

  return {
    ...demo,
    browser,
    context,
    page,
    origin,
    at: (path) => `${origin}/console/${path}`,
    complaints,
    async signIn (email = owner, password = generatedPassword ?? '', on = page) {
      await on.getByLabel('Email').fill(email)
      await on.getByLabel('Password', { exact: true }).fill(password)
      await on.getByRole('button', { name: 'Sign in', exact: true }).click()
    },
    async ownerToken () {
      const payload = { email: owner, password: generatedPassword }
      const reply = await demo.app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload })
      return String(reply.json().access_token)
    }
  }
}

/**
 * Collects what a page must not do; it may send requests to the origins `others`. A refusal of the API that the page
 * shows to the user is no complaint.
 */
export function watch (page: Page, origin: string, complaints: string[], others: readonly string[] = []): void {
  page.on('console', (message) => {
    const text = message.text()
    if (['error', 'warning'].includes(message.type()) && !/status of 4\d\d/.test(text)) complaints.push(text)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    const { protocol, origin: to } = new URL(request.url())
    if (protocol !== 'data:' && to !== origin && !others.includes(to)) complaints.push(`a request to ${request.url()}`)
  })
}

/** The rules of axe-core whose results depend on the colours of the page. */
export const COLOR_RULES: readonly string[] = ['color-contrast', 'link-in-text-block']

/** The violations that axe-core finds on the current page, each with the place. Default: of all its rules. */
export async function violations (page: Page, rules?: readonly string[]): Promise<string[]> {
  // Evaluated by the debugger, to which the policy of the page does not apply.
  if (!await page.evaluate<boolean>('"axe" in globalThis')) await page.evaluate(await readFile(AXE, 'utf8'))
  return await page.evaluate(async (runOnly) => {
    const { axe } = globalThis as unknown as { axe: Axe }
    interface Axe { run (options: { runOnly?: readonly string[] }): Promise<{ violations: Violation[] }> }
    interface Violation { id: string, nodes: Array<{ html: string, failureSummary?: string }> }
    const { violations } = await axe.run(runOnly === undefined ? {} : { runOnly })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }, rules)
}

/** By how many pixels the page is wider than the window. */
export async function overflow (page: Page): Promise<number> {
  return await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
