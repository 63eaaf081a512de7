import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'

import type { AuditEntry } from '../../contracts/token-store/index.js'
import { openBrowser } from '../helpers/browser.js'
import { demoApp } from '../helpers/server-app.js'
import type { DemoApp } from '../helpers/server-app.js'
import { until } from '../helpers/until.js'

/** The built-in server with its mock identity providers, and a page; `null` without a browser. */
async function setUp (t: Test, variables: Record<string, string> = {}) {
  const browser = await openBrowser(t)
  if (browser === null) return null
  const demo = await demoApp(t, { CONSOLE: 'off', ...variables }, { listen: true, identityMocks: true })
  const { mocks, app } = demo
  if (mocks === null) throw new Error('the mock identity providers did not start')
  const address = app.server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const context = await browser.newContext({ viewport: { width: 460, height: 800 } })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 401')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  const bearers: string[] = []
  page.on('request', (request) => {
    const bearer = request.headers()['authorization']
    if (bearer !== undefined) bearers.push(bearer)
  })
  return { ...demo, mocks, origin, context, page, complaints, bearers }
}

/** Waits for entries of the audit log about single sign-on. Resolves with them, oldest first. */
async function trail ({ store }: Pick<DemoApp, 'store'>, count: number): Promise<AuditEntry[]> {
  let entries: AuditEntry[] = []
  await until(`${count} entries are in the audit log`, async () => {
    const { data } = await store.audit.list('default', {}, { limit: 100 })
    entries = data.toReversed().filter(({ action }) => /^(?:auth|user|sso)\./.test(action))
    return entries.length >= count
  })
  return entries
}

async function fact (page: Page, name: string): Promise<string | null> {
  return page.locator(`dt:has-text("${name}") + dd`).textContent()
}

for (const [kind, button] of [['oidc', 'Mock OpenID'], ['saml', 'Mock SAML']] as const) {
  t.test(`a person signs in through the mock ${kind} provider, calls the admin API, and is signed out by the ` +
    'provider', async (t) => {
    const parts = await setUp(t)
    if (parts === null) return
    const { page, origin, mocks, context, complaints, bearers } = parts
    await page.goto(`${origin}/sign-in`)
    await page.getByRole('link', { name: button }).click()
    await page.waitForURL(new RegExp(`^${mocks[kind].origin}`))
    await page.getByText('Ann Archer').click()
    await page.getByRole('heading', { name: 'Signed in' }).waitFor()
    t.equal(page.url(), `${origin}/sign-in`, 'the code has left the address bar')
    t.equal(await fact(page, 'Email'), 'ann@example.com')
    t.equal(await fact(page, 'Role'), 'admin', 'by the group of the mapping')

    await until('the page has called the admin API', () => bearers.length > 0)
    const users = await fetch(`${origin}/v1/admin/users`, { headers: { authorization: bearers.at(-1) ?? '' } })
    t.equal(users.status, 200, 'the token works on the admin API')
    t.match(await users.json(), { data: [{ email: 'ann@example.com', role: 'admin' }] })

    const provider = await context.newPage()
    await provider.goto(mocks[kind].origin)
    await provider.getByRole('button', { name: /sign out/i }).first().click()
    await page.getByText('Your session has ended.').waitFor()
    const dead = await fetch(`${origin}/v1/admin/users`, { headers: { authorization: bearers.at(-1) ?? '' } })
    t.equal(dead.status, 401)

    const entries = await trail(parts, 3)
    t.match(entries.map(({ action, userEmail, changes }) => ({ action, userEmail, changes })), [
      { action: 'user.provisioned', userEmail: 'ann@example.com', changes: { provider_id: `mock-${kind}`, role: 'admin' } },
      { action: 'auth.sso_login', userEmail: 'ann@example.com', changes: { provider: button } },
      { action: 'auth.logout', userEmail: 'ann@example.com', changes: { reason: 'identity_provider' } }
    ])
    t.strictSame(complaints, [])
  })

  t.test(`the sign-in page says why the mock ${kind} provider's people without a proved email get no access`, async (t) => {
    const parts = await setUp(t)
    if (parts === null) return
    const { page, origin, mocks } = parts
    // A SAML provider asserts its own emails, so only the domain counts there.
    const people = kind === 'oidc' ? ['Cleo Carver', 'Dan Draper'] : ['Dan Draper']
    for (const name of people) {
      await page.goto(`${origin}/sign-in`)
      await page.getByRole('link', { name: button }).click()
      await page.waitForURL(new RegExp(`^${mocks[kind].origin}`))
      await page.getByText(name).click()
      await page.getByText('does not confirm your email address, or its domain is not proved here').waitFor()
      await page.context().clearCookies()
    }
    const entries = await trail(parts, 1)
    t.equal(entries.every(({ action }) => action === 'auth.sso_failed'), true)
    t.match(entries[0]?.changes, { reason: 'email_not_verified' })
  })
}

t.test('signing out on the page also signs out at the mock oidc provider', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { page, origin, mocks } = parts
  await page.goto(`${origin}/sign-in`)
  await page.getByRole('link', { name: 'Mock OpenID' }).click()
  await page.getByText('Ben Baker').click()
  await page.getByRole('heading', { name: 'Signed in' }).waitFor()
  t.equal(await fact(page, 'Role'), 'editor')
  // The provider knows the session by the ID token, logs it out without a question, and sends the browser back.
  const returned = page.waitForResponse((response) => response.url().startsWith(mocks.oidc.origin))
  await page.getByRole('button', { name: 'Sign out' }).click()
  t.equal((await returned).status(), 303)
  await page.getByRole('link', { name: 'Mock OpenID' }).click()
  await page.getByText('Ben Baker').waitFor()
  t.pass('the provider asks who signs in')
})

t.test('a password still signs in on the page, and a wrong one says so', async (t) => {
  const parts = await setUp(t)
  if (parts === null) return
  const { page, origin, first } = parts
  await page.goto(`${origin}/sign-in`)
  await page.getByLabel('Email').fill(first.email)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Password').fill('a wrong password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The email or the password is wrong').waitFor()
  await page.getByLabel('Password').fill(first.generatedPassword ?? '')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Signed in' }).waitFor()
  t.equal(await fact(page, 'Role'), 'owner')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You have signed out.').waitFor()
})
