import type { AddressInfo } from 'node:net'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import databrainProxy from '../../routes/databrain/proxy/index.js'
import type { DatabrainProxyOptions } from '../../routes/databrain/proxy/index.js'
import { pageConfig } from '../../routes/databrain/guest-token/index.js'
import { storeByDefault } from '../helpers/backend.js'
import { openBrowser } from '../helpers/browser.js'
import { DASHBOARD_ID, dashboardBackend } from '../helpers/databrain-dashboard.js'
import { databrainComponent, mapHosts } from '../helpers/databrain-page.js'
import type { Component, HostMap } from '../helpers/databrain-page.js'
import { userOf } from '../helpers/databrain-proxy.js'
import { API_KEY, mint, PROXY_KEY, tokenOf } from '../helpers/guest-token.js'
import { selfSigned } from '../helpers/self-signed.js'
import { stubUpstream } from '../helpers/stub-upstream.js'
import type { StubUpstream } from '../helpers/stub-upstream.js'
import { until } from '../helpers/until.js'

const APP = 'https://app.example.com'
const GATEWAY = 'https://gateway.example.com/api/databrain/proxy'
/** The globals that the package expects from a customer's bundler. */
const FROM_BUNDLER = 'window.process = { env: { NODE_ENV: "production" } }'
/**
 * Longer than the component waits for data before it stops: it retries three times, after 1, 2
 * and 4 s.
 */
const PATIENCE = 40_000

interface Site {
  app: FastifyInstance
  databrain: StubUpstream
  hosts: HostMap
  component: Component
  page: Page
  /** Status and error code of each response of the proxy to the page, without preflights. */
  answers: Array<
    { /** Time of the request, epoch milliseconds. */ at: number, status: number, code: string | undefined }
  >
}

interface SiteOptions {
  options?: Partial<DatabrainProxyOptions>
  /** Runs on the page before the component. */
  script: string
  /** Origins that resolve to this server. */
  hosts: string[]
  cookieDomain: string
  /** `null` without a login. */
  user: string | null
  before?: (app: FastifyInstance) => unknown
}

/**
 * Starts DataBrain's mock product and the host's server in front of it, both over TLS, and a browser that resolves
 * some hosts to that server.
 */
async function site (t: Test, give: (component: Component) => SiteOptions): Promise<Site | null> {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const component = await databrainComponent()
  const { options = {}, script, hosts: names, cookieDomain, user, before = () => {} } = give(component)
  const tls = selfSigned()
  const backend = dashboardBackend({ ann: tokenOf('ann'), bob: tokenOf('bob') })
  const databrain = await stubUpstream(
    t,
    (call, response) => (call.url === '/api/v2/guest-token/create' ? mint : backend)(call, response),
    tls
  )
  const giveStore = await storeByDefault(t)
  const app = Fastify({ https: tls, forceCloseConnections: true })
  t.teardown(() => app.close())
  await before(app)
  await giveStore(app)
  app.get('/page', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(
      `<!doctype html><title>Sales</title><link rel="icon" href="data:,"><script>${FROM_BUNDLER};${script}</script>` +
        `<script type="module" src="/plugin.js"></script><dbn-dashboard token="by-proxy" dashboard-id="${DASHBOARD_ID}"></dbn-dashboard>`
    ))
  app.get('/plugin.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(component.script))
  await app.register(databrainProxy, {
    proxyKeys: [PROXY_KEY],
    apiUrl: databrain.origin,
    apiKey: API_KEY,
    dataAppName: 'sales',
    ca: tls.cert,
    authorize (request) {
      const user = userOf(request)
      return user === null ? null : { clientId: user }
    },
    ...options
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const hosts = await mapHosts(t, Object.fromEntries(names.map((url) => [new URL(url).host, port])))
  const context = await browser.newContext({ ignoreHTTPSErrors: true, proxy: { server: hosts.server } })
  t.teardown(() => context.close())
  if (user !== null) {
    await context.addCookies([{
      name: 'user',
      value: user,
      domain: cookieDomain,
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax'
    }])
  }
  const page = await context.newPage()
  const answers: Site['answers'] = []
  page.on('response', async (response) => {
    if (!response.url().includes('/api/v2/') || response.request().method() === 'OPTIONS') return
    const body = await response.json().catch(() => null) as { error?: { code?: string } } | null
    answers.push({ at: response.request().timing().startTime, status: response.status(), code: body?.error?.code })
  })
  return { app, databrain, hosts, component, page, answers }
}

/**
 * This version of the component has no proxy setting: the page sends its calls to the proxy of `window.dbn`, with the
 * key and the page's cookies.
 */
function throughProxy ({ backend }: Component): string {
  return `
    window.dbn = ${JSON.stringify(pageConfig({ proxyUrl: GATEWAY, proxyKey: PROXY_KEY }))}
    const send = window.fetch
    window.fetch = (url, init = {}) => !String(url).startsWith('${backend}/') ? send(url, init) : send(window.dbn.baseUrl + String(url).slice(${backend.length}), {
      ...init, credentials: 'include', headers: { ...init.headers, 'X-Proxy-Auth-Key': window.dbn.proxyAuthKey }
    })`
}

const crossOrigin = (user: string | null) => (component: Component) => ({
  options: { cors: { origins: [APP] } },
  script: throughProxy(component),
  hosts: [APP, GATEWAY],
  cookieDomain: '.example.com',
  user
})

async function seesDashboardOf (t: Test, page: Page, user: string): Promise<void> {
  await page.getByRole('heading', { name: `Sales of ${user}` }).waitFor({ timeout: PATIENCE })
  await page.getByText(`Apples for ${user}`, { exact: true }).first().waitFor({ timeout: PATIENCE })
  await page.locator('dbn-dashboard tbody tr').nth(1).waitFor({ timeout: PATIENCE })
  const shown = (await page.locator('dbn-dashboard tbody tr').allInnerTexts()).map((row) => row.split(/\s*[\t\n]\s*/))
  t.same(
    shown,
    [[`Apples for ${user}`, '4711'], [`Pears for ${user}`, '815']],
    'the table has the rows of the mock product'
  )
  await page.locator('dbn-dashboard canvas').first().waitFor({ timeout: PATIENCE })
}

t.test('the unmodified component renders its dashboard through the proxy, for the user of the cookie', async (t) => {
  const made = await site(t, crossOrigin('ann'))
  if (made === null) return
  const { page, databrain, hosts, component, answers } = made
  await page.goto(`${APP}/page`)
  await seesDashboardOf(t, page, 'ann')
  const calls = databrain.calls.filter(({ url }) => url !== '/api/v2/guest-token/create')
  t.ok(calls.length >= 4, 'dashboard, layout and two metrics')
  t.same(
    new Set(calls.map(({ headers }) => headers['x-plugin-token'])),
    new Set([tokenOf('ann')]),
    "each call has ann's guest token"
  )
  await until('the page has a response to each call', () => answers.length >= calls.length)
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(databrain.calls.length - calls.length, 1, 'one token is created')
  t.notOk(hosts.strangers.has(new URL(component.backend).host), 'no request bypasses the proxy')
  const seen = await page.content() + String(await page.evaluate('JSON.stringify([window.dbn, document.cookie])'))
  for (const secret of [tokenOf('ann'), API_KEY]) t.notMatch(seen, secret, 'the page has no token')
})

t.test('without a user the component renders no data: the proxy responds with 401 and does ' +
  'not call DataBrain', async (t) => {
  const made = await site(t, crossOrigin(null))
  if (made === null) return
  const { page, databrain, answers } = made
  await page.goto(`${APP}/page`)
  await page.getByText('Invalid token or Dashboard id').waitFor({ timeout: PATIENCE })
  await until('the page has a response', () => answers.length > 0)
  t.same(
    new Set(answers.map(({ status, code }) => `${status} ${code}`)),
    new Set(['401 UNAUTHORIZED']),
    'the page can read the response'
  )
  t.equal(await page.locator('dbn-dashboard table, dbn-dashboard canvas').count(), 0)
  t.equal(databrain.connections(), 0)
})

t.test('a user who is revoked while the page is open sees no data after a reload', async (t) => {
  const made = await site(t, crossOrigin('bob'))
  if (made === null) return
  const { app, page, answers } = made
  await page.goto(`${APP}/page`)
  await seesDashboardOf(t, page, 'bob')
  await app.tokenStore.revocations.revoke({
    orgId: 'default',
    kind: 'user',
    subject: 'bob',
    before: Date.now() + 3_600_000,
    createdBy: null
  })
  const since = Date.now()
  await page.reload()
  await page.getByText('Invalid token or Dashboard id').waitFor({ timeout: PATIENCE })
  const later = () => answers.filter(({ at }) => at >= since)
  await until('the page has a response', () => later().length > 0)
  t.same(new Set(later().map(({ status, code }) => `${status} ${code}`)), new Set(['403 FORBIDDEN']))
  t.equal(await page.locator('dbn-dashboard table, dbn-dashboard canvas').count(), 0)
})

t.test('a page of an origin that is not allowed gets no data, with any cookies', async (t) => {
  const evil = 'https://evil.example.com'
  const made = await site(t, (component) => ({ ...crossOrigin('ann')(component), hosts: [evil, GATEWAY] }))
  if (made === null) return
  const { page, databrain } = made
  await page.goto(`${evil}/page`)
  await page.getByText('Invalid token or Dashboard id').waitFor({ timeout: PATIENCE })
  t.equal(await page.locator('dbn-dashboard table, dbn-dashboard canvas').count(), 0)
  t.equal(databrain.connections(), 0)
})

t.test("the component renders without other code on the page if its backend's name resolves to a server that " +
  'adds the key', async (t) => {
  const made = await site(t, ({ backend }) => ({
    options: { prefix: '' },
    script: '',
    hosts: [backend],
    cookieDomain: new URL(backend).host,
    user: 'ann',
    // Adds the key, like a web server in front of the gateway.
    before: (app) =>
      app.addHook('onRequest', async ({ headers }) => {
        headers['x-proxy-auth-key'] = PROXY_KEY
      })
  }))
  if (made === null) return
  const { page, databrain, component } = made
  await page.goto(`${component.backend}/page`)
  await seesDashboardOf(t, page, 'ann')
  const [first] = databrain.calls.filter(({ url }) => url.startsWith('/api/v2/dashboard'))
  t.match(first?.headers, { 'x-plugin-token': tokenOf('ann'), 'x-plugin-origin': new URL(component.backend).host })
})
