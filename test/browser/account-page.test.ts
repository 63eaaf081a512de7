import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'
import { temporaryFolder } from '../helpers/server-process.js'

const PASSWORD = 'violet anchors drift slowly'

/** A server with an outbox, and a page; `null` without a browser. */
async function setUp (t: Test) {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const dataDir = await temporaryFolder(t)
  const { app, first } = await demoApp(t, { CONSOLE: 'off', DATA_DIR: dataDir }, { listen: true })
  const page = await browser.newPage({ viewport: { width: 420, height: 800 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  const owner = await login(first.email, first.generatedPassword ?? '')

  async function login (email: string, password: string) {
    const { access_token: token } =
      (await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })).json()
    return token as string | undefined
  }

  async function post (path: string, payload: object) {
    const headers = { authorization: `Bearer ${owner}` }
    return app.inject({ method: 'POST', url: `/v1/admin${path}`, payload, headers })
  }

  /** Resolves with the link of the mail to an address. */
  async function linkTo (email: string, kind: string): Promise<string> {
    for (;;) {
      for (const name of (await readdir(join(dataDir, 'outbox')).catch(() => [])).reverse()) {
        const content = name.includes(`-${kind}-`) ? await readFile(join(dataDir, 'outbox', name), 'utf8') : ''
        const [link] = content.includes(`To: ${email}\n`) ? /^http\S+$/m.exec(content) ?? [] : []
        if (link !== undefined) return link
      }
      await sleep(10)
    }
  }
  return { first, page, complaints, login, post, linkTo }
}

async function result (page: Page): Promise<string | null> {
  await page.locator('#result:not(:empty)').waitFor()
  return page.locator('#result').textContent()
}

t.test('a person accepts an invitation in the browser, and the token leaves the address bar', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { page, complaints, login, post, linkTo } = parts
  await post('/users/invite', { email: 'new@example.com', role: 'editor' })
  const link = await linkTo('new@example.com', 'invitation')
  const requested: string[] = []
  page.on('request', (request) => requested.push(`${request.url()} ${request.headers().referer ?? ''}`))
  await page.goto(link)
  await page.locator('#secret input').waitFor()
  t.equal(await page.locator('#text').textContent(), 'You are invited to "default" with the role editor.')
  t.equal(await page.locator('#address input').inputValue(), 'new@example.com')
  t.notMatch(page.url(), 'token')
  const [, token = ''] = link.split('token=')
  t.notOk(requested.some((line) => !line.startsWith(link) && line.includes(token)))
  await page.fill('#secret input', PASSWORD)
  await page.click('button')
  t.equal(await result(page), 'You are now a member of "default". Log in as new@example.com.')
  t.ok(await login('new@example.com', PASSWORD))
  t.same(complaints, [])
  await page.goto('about:blank')
  await page.goto(link)
  t.match(await result(page), 'The link is not valid')
})

t.test('a person sets a new password in the browser, after a guessable one is refused', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { first, page, login, post, linkTo } = parts
  await post('/auth/password-reset', { email: first.email })
  await page.goto(await linkTo(first.email, 'password_reset'))
  await page.fill('#secret input', 'password12345')
  await page.click('button')
  t.match(await result(page), 'too common or too easy to guess')
  await page.fill('#secret input', PASSWORD)
  await page.click('button')
  await page.locator('#result.good').waitFor()
  t.equal(await result(page), 'Your password is set. Log in again.')
  t.ok(await login(first.email, PASSWORD))
})

t.test('a person confirms a new email in the browser with both links, one after the other in one tab', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { first, page, complaints, login, post, linkTo } = parts
  const password = first.generatedPassword ?? ''
  await post('/auth/email', { new_email: 'new@example.com', current_password: password })
  const links = [await linkTo('new@example.com', 'email_change'), await linkTo(first.email, 'email_change')]
  await page.goto(links[0] ?? '')
  await page.click('button')
  t.equal(await result(page), 'Confirmed. Now open the link in the other mailbox.')
  await page.goto(links[1] ?? '')
  await page.locator('#result:empty').waitFor({ state: 'attached' })
  await page.click('button')
  t.equal(await result(page), 'Your email address has changed.')
  t.ok(await login('new@example.com', password))
  t.same(complaints, [])
})
