import t from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'

t.test('the start page loads the three embeds, and its button stores an event', async (t) => {
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
    await page.locator(`#${name} .state.good`).waitFor({ timeout: 15_000 })
    t.equal(await page.locator(`#${name} .state`).textContent(), 'loaded', name)
  }
  t.match(await page.frameLocator('#databrain iframe').locator('small').textContent(), 'viewer@example.com')
  t.match(await page.frameLocator('#boldbi iframe').locator('small').textContent(), 'viewer@example.com')
  t.equal(await page.locator('#dxfeed tr').count(), 5)
  t.equal(await page.locator('#dxfeed .frame p').textContent(), 'Subscribed as viewer@example.com')
  await page.locator('#proxied b', { hasText: 'Revenue of viewer@example.com' }).waitFor()

  await page.click('#send')
  await page.locator('#response.good').waitFor()
  t.match(await page.locator('#response').textContent(), '200 {"success":true}')
  if (process.env.SCREENSHOTS !== undefined) {
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/start-page.png`, fullPage: true })
  }

  await page.selectOption('#user', 'ann@example.com')
  await page.locator('#boldbi .state.good').waitFor()
  await page.frameLocator('#boldbi iframe').locator('small', { hasText: 'ann@example.com' }).waitFor()
  t.same(complaints, [])
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
    await page.locator(`#${name} .state.good`).waitFor({ timeout: 30_000 })
  }
  t.same(complaints, [])
})

t.test('the start page fits a phone screen', async (t) => {
  const browser = await openBrowser(t)
  if (browser === null) return
  const { app } = await demoApp(t, {}, { listen: true })
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } })
  await page.goto(app.listeningOrigin)
  await page.locator('#dxfeed .state.good').waitFor()
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
  if (process.env.SCREENSHOTS !== undefined) {
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/start-page-phone.png`, fullPage: true })
  }
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
  await page.goto(`${app.listeningOrigin}/docs`)
  await page.locator('.opblock-summary-path', { hasText: 'generate-token' }).first().waitFor({ timeout: 20_000 })
  if (process.env.SCREENSHOTS !== undefined) await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs.png` })
  t.same(complaints, [])
})
