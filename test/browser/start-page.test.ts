import t from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'
import { until } from '../helpers/until.js'

t.test('the start page loads the three embeds beside their requests, and its button stores an event', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`))

  await page.goto(app.listeningOrigin)
  for (const name of ['databrain', 'boldbi', 'dxfeed']) {
    await page.locator(`#${name} .state.good`).waitFor()
    t.equal(await page.locator(`#${name} .state`).textContent(), 'loaded', name)
  }
  t.match(await page.frameLocator('#databrain iframe').locator('small').textContent(), 'viewer@example.com')
  t.match(await page.frameLocator('#boldbi iframe').locator('small').textContent(), 'viewer@example.com')
  await page.locator('#dxfeed tr').nth(4).waitFor()
  t.equal(await page.locator('#dxfeed tr').count(), 5)
  t.equal(await page.locator('#dxfeed .frame p').textContent(), 'Subscribed as viewer@example.com')
  await page.locator('#dxfeed svg rect').nth(40).waitFor()
  await page.locator('#proxied b', { hasText: 'Revenue of viewer@example.com' }).waitFor()

  await page.click('#send')
  await page.locator('#response.good').waitFor()
  t.match(await page.locator('#response').textContent(), '200 {"success":true}')

  await page.selectOption('#user', 'ann@example.com')
  await page.frameLocator('#boldbi iframe').locator('small', { hasText: 'ann@example.com' }).waitFor()
  await page.locator('#boldbi .state.good').waitFor()
  t.same(complaints, [])
})

t.test('the timeline shows the real calls between the browser, the server and the products, without secrets', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app, products, secrets } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage()
  await page.goto(app.listeningOrigin)
  for (const [name, calls] of [
    ['databrain', [
      'Browser→DataBrain GET /component',
      'DataBrain→Your server GET /api/databrain/guest-token',
      'Your server→DataBrain POST /api/v2/guest-token/create',
      'Browser→DataBrain POST /component/session'
    ]],
    ['boldbi', ['Browser→Your server POST /authorize', 'Your server→Bold BI GET', 'Browser→Bold BI GET']],
    ['dxfeed', ['Browser→Your server GET /api/generate-token', 'Browser→dxFeed WS /dxlink-ws', 'Browser→dxFeed GET /ipf']]
  ] as const) {
    await page.locator(`#${name} .state.good`).waitFor()
    const shown = page.locator(`#${name} .call`)
    for (const call of calls) {
      await until(`${call} is in the timeline`, async () =>
        (await shown.allTextContents()).some((text) => withoutNumbers(text).startsWith(call)))
    }
  }
  const timeline = await page.evaluate(async () => (await fetch('/demo/timeline?after=0')).text())
  for (const secret of [
    products.databrain?.apiKey, products.boldbi?.embedSecret, products.dxfeed?.secret, ...secrets.DATABRAIN_PROXY_KEY
  ]) {
    t.ok(secret !== undefined && secret.length > 8)
    t.notMatch(timeline, secret?.slice(0, 8))
  }
  t.notMatch(timeline, /embed_signature=[^&"]{6}|token=[^&"]{6}|ref=[^&"]{6}|v1\.ey/)
})

const ATTACKS = [
  ['databrain', 'Wrong proxy key', 401, 'UNAUTHORIZED'],
  ['databrain', 'Expired token', 401, 'UNAUTHORIZED'],
  ['boldbi', 'Tampered query', 400, 'INVALID_REQUEST'],
  ['boldbi', 'Replayed nonce', 409, 'CONFLICT'],
  ['dxfeed', 'Foreign origin', 403, 'ORIGIN_NOT_ALLOWED'],
  ['dxfeed', 'Expired token', 101, 'UNAUTHORIZED']
] as const

t.test('each switch performs its attack, which is refused, and switched off the embed loads again', async (t) => {
  t.setTimeout(180_000)
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage()
  await page.goto(app.listeningOrigin)
  for (const [name, title, status, code] of ATTACKS) {
    const card = page.locator(`#${name}`)
    await card.locator('.state.good').waitFor()
    await card.getByRole('switch', { name: title }).click()
    await card.locator('.state.bad').waitFor()
    await card.locator('.call.failed .reason code', { hasText: code }).first().waitFor()
    t.equal(await card.locator('.call.failed .status').first().textContent(), String(status), `${name}: ${title}`)
    await card.getByRole('switch', { name: title }).click()
    await card.locator('.state.good').waitFor()
    t.equal(await card.locator('.call.failed').count(), 0, `${name}: restored after ${title}`)
  }
})

t.test('a revoked user gets no embed until the revocation is lifted, and only the page’s own is lifted', async (t) => {
  t.setTimeout(120_000)
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app, store } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage()
  await page.goto(app.listeningOrigin)
  const switched = page.getByRole('switch', { name: 'Revoked user' })
  const states = async (tone: string) => {
    for (const name of ['databrain', 'boldbi', 'dxfeed']) await page.locator(`#${name} .state.${tone}`).waitFor()
  }
  await states('good')
  await switched.click()
  await states('bad')
  t.ok(await store.revocations.cutoff('default', 'user', 'viewer@example.com') > 0)
  for (const [name, reason] of [['databrain', 'FORBIDDEN'], ['boldbi', 'ApiStatus: false'], ['dxfeed', 'FORBIDDEN']]) {
    await page.locator(`#${name} .call.failed .reason`, { hasText: reason ?? '' }).first().waitFor()
  }
  await page.reload()
  await states('bad')
  await page.getByRole('switch', { name: 'Revoked user', checked: true }).waitFor()
  await switched.click()
  await states('good')
  t.equal(await store.revocations.cutoff('default', 'user', 'viewer@example.com'), 0)

  const entry = { orgId: 'default', kind: 'user', subject: 'viewer@example.com', createdBy: 'admin-1' } as const
  await store.revocations.revoke({ ...entry, before: Date.now() + 60_000 })
  await switched.click()
  await page.getByRole('alert').filter({ hasText: 'An administrator has revoked this user' }).waitFor()
  t.ok(await store.revocations.cutoff('default', 'user', 'viewer@example.com') > Date.now())
})

t.test('the playground stores events by key, signature, collector and pixel, and refuses a wrong key and a foreign ' +
  'origin', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage()
  await page.goto(app.listeningOrigin)
  const stored = page.locator('.stored li')
  for (const [at, [way, event, method]] of ([
    ['Pipeline key', 'Button Clicked', 'key'],
    ['Signature', 'Order Completed', 'signature'],
    ['SDK snippet', 'Button Clicked', 'key'],
    ['Pixel', 'Mail Opened', 'key']
  ] as const).entries()) {
    await page.getByRole('button', { name: way, exact: true }).click()
    await page.click('#send')
    await stored.nth(at).waitFor()
    t.equal(await stored.count(), at + 1, way)
    t.match(await stored.first().textContent(), `${event}${method}`, way)
  }
  for (const [way, status, code] of [
    ['Wrong key', 401, 'INVALID_PIPELINE_KEY'], ['Foreign origin', 403, 'ORIGIN_NOT_ALLOWED']
  ] as const) {
    await page.getByRole('button', { name: way, exact: true }).click()
    await page.click('#send')
    await page.locator('#response.bad', { hasText: `${status} {"error":{"code":"${code}"` }).waitFor()
    await page.locator('.events .call.failed .reason code', { hasText: code }).waitFor()
  }
  t.equal(await stored.count(), 4, 'refused events are not stored')
  t.notMatch(await page.content(), /server_secret|x-datafly-signature: sha256=[0-9a-f]{8}/i)
})

t.test('the start page loads the embeds with a captcha and CSRF tokens', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, { CAPTCHA: 'altcha', CSRF: 'on' }, { listen: true })
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(app.listeningOrigin)
  for (const name of ['databrain', 'boldbi', 'dxfeed']) {
    await page.locator(`#${name} .state.good`).waitFor()
  }
  t.same(complaints, [])
})

t.test('an embed that failed to get a CSRF token gets one on the next try', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, { CSRF: 'on' }, { listen: true })
  const page = await browser.newPage()
  const json = { error: { code: 'UNAVAILABLE', message: 'not now' } }
  await page.route('**/csrf/token', (route) => route.fulfill({ status: 503, json }))
  await page.goto(app.listeningOrigin)
  await page.locator('#boldbi:has(.state.bad)', { hasText: 'not now' }).waitFor()
  await page.unroute('**/csrf/token')
  const tampered = page.getByRole('switch', { name: 'Tampered query' })
  await tampered.click()
  await page.locator('#boldbi .call.failed').first().waitFor()
  await tampered.click()
  await page.locator('#boldbi .state.good').waitFor()
})

t.test('the API docs render under their content security policy', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${app.listeningOrigin}/docs#/embedding`)
  await page.locator('.opblock-summary-path', { hasText: 'generate-token' }).first().waitFor()
  t.same(complaints, [])
})

/** Removes the status and the time from the line of a call. */
function withoutNumbers (line: string): string {
  return line.replace(/(\d{3})[\d.,]+ ms/, ' ')
}
