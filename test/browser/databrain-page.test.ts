import t from 'tap'
import type { Test } from 'tap'
import type { FrameLocator, Page } from 'playwright-core'

import type { PageConfig } from '../../routes/databrain/guest-token/index.js'
import { signUserReference } from '../../signing/user-reference.js'
import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'

const PATH = '/api/databrain/guest-token'

interface Site {
  origin: string
  /** The page's `window.dbn`, as the product's page has it, for the user of a reference. */
  dbn: PageConfig
  page: Page
  /** Opens a page of the host with this `window.dbn`, and a script after it. */
  open(dbn: object, script?: string): Promise<FrameLocator>
  /** Signs a reference to a user; `age` in milliseconds. */
  reference(user: string, age?: number): string
}

/** A page on the built-in server, beside its mock product. */
async function hostPage (t: Test): Promise<Site | null> {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const { app, products, secrets } = await demoApp(t, {}, { listen: true })
  const origin = app.listeningOrigin
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  const [key] = secrets.USER_REFERENCE_KEY
  const [proxyAuthKey = ''] = secrets.DATABRAIN_PROXY_KEY
  const reference = (sub: string, age = 0) =>
    signUserReference({ sub }, { key, audience: 'gatehouse-embed', now: Date.now() - age })
  const dbn: PageConfig = {
    baseUrl: 'https://app.usedatabrain.com',
    proxyAuthUrl: `${origin}${PATH}?ref=${reference('ann@example.com')}`,
    proxyAuthKey,
    isEnableProxyAuth: true
  }
  async function open (config: object, script = ''): Promise<FrameLocator> {
    // DataBrain's documented page, with our mock component instead of the package.
    const body =
      `<!doctype html><title>Host</title><link rel="icon" href="data:,"><div id="app"></div><script type="module">
      import { Databrain } from '${products.databrain?.mockOrigin}/databrain-plugin.js';

      // Configure proxy authentication globally
      if (typeof window !== 'undefined') {
        window.dbn = ${JSON.stringify(config)};
      }
      ${script}
      document.querySelector('#app').append(Databrain({ dashboardId: 'your-dashboard-id' }));
    </script>`
    // Opens a document of the server first, because Chromium lets no synthetic page call a loopback address.
    await page.goto(`${origin}/healthz`)
    await page.setContent(body)
    return page.frameLocator('#app iframe')
  }
  return { origin, dbn, page, open, reference }
}

t.test("the page from DataBrain's documentation shows the dashboard of the user in the reference", async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  const frame = await site.open(site.dbn)
  await frame.locator('small', { hasText: 'Rows of ann@example.com' }).waitFor()
  t.equal(await frame.locator('h1').textContent(), 'Revenue')
})

t.test('the page names the missing property if one of the four required properties is missing', async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  for (const name of ['baseUrl', 'proxyAuthUrl', 'proxyAuthKey', 'isEnableProxyAuth'] as const) {
    const frame = await site.open({ ...site.dbn, [name]: undefined })
    await frame.locator('main', { hasText: `window.dbn.${name} is` }).waitFor()
    t.pass(name)
  }
  const direct = await site.open({ ...site.dbn, isEnableProxyAuth: false })
  await direct.locator('main', { hasText: 'window.dbn.isEnableProxyAuth is not true' }).waitFor()
})

t.test('the page shows the message of our error for a wrong key and for an invalid reference', async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  const { origin, dbn, open, reference } = site
  const cases: Array<[name: string, dbn: object, message: string]> = [
    ['a wrong key', { ...dbn, proxyAuthKey: `${dbn.proxyAuthKey}x` }, 'Invalid authentication key'],
    ['an expired reference', { ...dbn, proxyAuthUrl: `${origin}${PATH}?ref=${reference('ann', 43_200_001)}` },
      'User not authenticated'],
    ['no valid reference', { ...dbn, proxyAuthUrl: `${origin}${PATH}?ref=ann` }, 'User not authenticated']
  ]
  for (const [name, config, message] of cases) {
    const frame = await open(config)
    await frame.locator('main').getByText(message, { exact: true }).waitFor()
    t.pass(name)
  }
})

/** The renewal in our documentation. */
const RENEWAL = `
  const { keepToken } = await import('/demo/browser.js')
  keepToken({
    async fetch (signal) {
      const response = await fetch('/api/databrain/proxy-auth-url', { cache: 'no-store', signal })
      if (!response.ok) return response
      const { proxyAuthUrl, ...times } = await response.json()
      return { token: proxyAuthUrl, ...times }
    },
    onToken (proxyAuthUrl) { window.dbn.proxyAuthUrl = proxyAuthUrl; window.renewals = (window.renewals ?? 0) + 1 },
    onError (error) { window.refusal = error.status }
  })
`

t.test('a page renews window.dbn.proxyAuthUrl with the session, and the component then gets its ' +
  'next token', async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  const { origin, dbn, page, open, reference } = site
  // The start page starts a session of viewer@example.com.
  await page.context().request.get(origin)
  const expired = { ...dbn, proxyAuthUrl: `${origin}${PATH}?ref=${reference('viewer@example.com', 43_200_001)}` }
  const frame = await open(expired, RENEWAL)
  await page.waitForFunction('window.renewals === 1')
  await page.evaluate('document.querySelector("dbn-dashboard").refresh()')
  await frame.locator('small', { hasText: 'Rows of viewer@example.com' }).waitFor()
  t.notMatch(await page.evaluate('window.dbn.proxyAuthUrl'), expired.proxyAuthUrl)
})

t.test('without a session a page cannot renew its URL, even with a valid reference', async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  const { page, dbn, open } = site
  await open(dbn, RENEWAL)
  await page.waitForFunction('window.refusal !== undefined')
  t.equal(await page.evaluate('window.refusal'), 401)
  t.equal(await page.evaluate('window.dbn.proxyAuthUrl'), dbn.proxyAuthUrl)
})

t.test('the start page has all four properties and renews its proxyAuthUrl', async (t) => {
  const site = await hostPage(t)
  if (site === null) return
  const { origin, page } = site
  const answer = page.waitForResponse((response) => response.url().endsWith('/api/databrain/proxy-auth-url'))
  await page.goto(origin)
  const { proxyAuthUrl } = await (await answer).json() as { proxyAuthUrl: string }
  await page.waitForFunction(`window.dbn.proxyAuthUrl === ${JSON.stringify(proxyAuthUrl)}`)
  t.match(await page.evaluate('window.dbn'), { baseUrl: /^http:\/\/127/, proxyAuthKey: /./, isEnableProxyAuth: true })
  await page.locator('#databrain .state.good').waitFor()
})
