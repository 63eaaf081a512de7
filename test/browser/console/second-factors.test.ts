import type { Page } from 'playwright-core'
import t from 'tap'

import { openConsole, violations } from '../../helpers/console.js'
import { totpCode } from '../../helpers/mfa.js'

async function signOut (page: Page) {
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

async function auditLogSays (page: Page, sentences: readonly string[]) {
  await page.getByRole('navigation').getByRole('link', { name: 'Audit log', exact: true }).click()
  for (const sentence of sentences) await page.getByRole('main').getByText(sentence).first().waitFor()
}

t.test('a person sets up an authenticator app, signs in with a code, and proves it again before a source is deleted', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, first, store, complaints } = parts
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('button', { name: 'Add an app…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password', { exact: true }).fill(first.generatedPassword ?? '')
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await dialog.getByRole('img', { name: 'QR code' }).waitFor()
  t.same(await violations(page), [], 'the QR code')
  const secret = (await dialog.locator('.copyable code').textContent() ?? '').replaceAll(' ', '')
  await dialog.getByLabel('Code', { exact: true }).fill(totpCode(secret, Date.now()))
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('dialog', { name: 'Your recovery codes' }).waitFor()
  t.same(await violations(page), [], 'the recovery codes')
  const codes = (await page.locator('.secret pre').textContent() ?? '').split('\n')
  t.equal(codes.length, 10)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByRole('cell', { name: 'Authenticator app' }).waitFor()

  await signOut(page)
  await signIn()
  await page.getByLabel('Code of your authenticator app').fill('000000')
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByRole('alert').waitFor()
  t.same(await violations(page), [], 'the second factor')
  await page.getByLabel('Code of your authenticator app').fill(totpCode(secret, Date.now() + 30_000))
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByRole('heading', { name: 'Profile' }).waitFor()

  const owner = await store.users.findByEmail(first.email)
  const [session] = await store.sessions.list(owner?.id ?? '')
  await store.sessions.confirm(session?.id ?? '', Date.now() - 3_600_000)
  await page.getByRole('link', { name: 'Sources' }).click()
  await page.getByRole('link', { name: 'Demo' }).click()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the source' }).click()
  const question = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await question.getByLabel('Code of your authenticator app').fill(codes[0] ?? '')
  await question.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('heading', { name: 'No source yet' }).waitFor()
  t.equal((await store.sources.list('default', { limit: 1 })).data.length, 0)
  await auditLogSays(page, ['set up an authenticator app', 'deleted the source Demo'])
  t.same(complaints, [])
})

t.test('a person who does not prove the second factor is told that it is needed, and nothing is deleted', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store } = parts
  await page.goto(at('sources'))
  await signIn()
  await page.route('**/v1/admin/sources/*', async (route) => {
    if (route.request().method() !== 'DELETE') return await route.continue()
    await route.fulfill({
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="300"' },
      json: { error: { code: 'UNAUTHORIZED', message: 'Confirm your second factor again' } }
    })
  })
  await page.getByRole('link', { name: 'Demo' }).click()
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the source' }).click()
  await page.getByRole('dialog', { name: 'Confirm that it is you' }).getByRole('button', { name: 'Close' }).click()
  await page.getByRole('alert').getByText('Confirm your second factor again').waitFor()
  t.equal((await store.sources.list('default', { limit: 1 })).data.length, 1)
})

t.test('a person adds a passkey and signs in with it alone', async (t) => {
  const parts = await openConsole(t, { host: 'localhost' })
  if (parts === null) return
  const { page, at, signIn, first, complaints } = parts
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('button', { name: 'Add a passkey…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Laptop')
  await dialog.getByLabel('Current password', { exact: true }).fill(first.generatedPassword ?? '')
  await dialog.getByRole('button', { name: 'Create the passkey' }).click()
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByRole('cell', { name: 'Laptop' }).waitFor()
  await signOut(page)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('cell', { name: 'Laptop' }).waitFor()
  await auditLogSays(page, ['added the passkey Laptop', 'signed in with a passkey'])
  t.same(complaints, [])
})
