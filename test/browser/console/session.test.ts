import type { Page } from 'playwright-core'
import t from 'tap'

import { openConsole } from '../../helpers/console.js'

/** Fills in the form of a new source without sending it. */
async function fillIn (page: Page) {
  await page.getByRole('link', { name: 'New source' }).first().click()
  await page.getByLabel('Name').fill('Shop')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Domains', { exact: true }).fill('shop.example.com')
}

/** Answers 401 to one request of each access token that the page has now, as after its expiry. */
async function expire (page: Page) {
  let refused: string | undefined
  await page.route('**/v1/admin/sources', async (route) => {
    const bearer = await route.request().headerValue('authorization') ?? ''
    refused ??= bearer
    if (bearer !== refused) return await route.continue()
    await route.fulfill({ status: 401, json: { error: { code: 'EXPIRED_TOKEN', message: 'The token has expired' } } })
  })
}

t.test('a form is sent although the access token expires while it is filled in', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, complaints } = parts
  await page.goto(at('sources'))
  await signIn()
  await fillIn(page)
  await expire(page)
  await page.getByRole('button', { name: 'Create the source' }).click()
  await page.getByRole('heading', { name: 'Send the first event of “Shop”' }).waitFor()
  t.match((await store.sources.list('default', { limit: 10 })).data.map(({ name, domains }) => [name, domains])[0],
    ['Shop', ['shop.example.com']])
  t.same(complaints, [])
})

t.test('a form is kept and sent after a new sign-in, if the session has ended in the meantime', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, first } = parts
  await page.goto(at('sources'))
  await signIn()
  await fillIn(page)
  const owner = await store.users.findByEmail(first.email)
  await store.sessions.endAll(owner?.id ?? '')
  await page.getByRole('button', { name: 'Create the source' }).click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await dialog.getByLabel('Password', { exact: true }).fill(first.generatedPassword ?? '')
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Send the first event of “Shop”' }).waitFor()
  t.equal((await store.sources.list('default', { limit: 10 })).data[0]?.name, 'Shop')
})

t.test('two tabs whose access tokens expire together refresh one after the other, and no session ends', async (t) => {
  const parts = await openConsole(t, { variables: {} })
  if (parts === null) return
  const { page, at, signIn, context, store } = parts
  await page.goto(at('sources'))
  await signIn()
  await page.getByRole('link', { name: 'Demo' }).waitFor()
  const tabs = [await context.newPage(), await context.newPage(), await context.newPage()]
  await Promise.all(tabs.map((tab) => tab.goto(at('sources'))))
  for (const tab of tabs) await tab.getByRole('link', { name: 'Demo' }).waitFor()
  const { data } = await store.audit.list('default', {}, { limit: 100 })
  t.notOk(data.some(({ action }) => action === 'auth.refresh_reused'))
})

t.test('a mistake is shown at its field, which gets the focus', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  await page.goto(at('sources'))
  await signIn()
  await fillIn(page)
  // A rule of the server that the page does not know.
  await page.route('**/v1/admin/sources', (route) => route.fulfill({
    status: 400,
    json: { error: { code: 'INVALID_REQUEST', message: 'Invalid', details: [{ path: '/domains/0', message: 'is taken' }] } }
  }))
  await page.getByRole('button', { name: 'Create the source' }).click()
  await page.locator('textarea[name=domains][aria-invalid=true]').waitFor()
  t.equal(await page.evaluate('document.activeElement.name'), 'domains')
  await page.getByText('Is taken').waitFor()
  t.equal(await page.getByLabel('Domains', { exact: true }).inputValue(), 'shop.example.com', 'what was entered stays')
})

t.test('a server that does not respond is an error with a button that tries again', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  await page.route('**/v1/admin/sources?*', (route) => route.abort())
  await page.goto(at('sources'))
  await signIn()
  await page.getByRole('alert').getByText('The server does not respond').waitFor()
  await page.unroute('**/v1/admin/sources?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('link', { name: 'Demo' }).waitFor()
  t.equal(await page.getByRole('alert').count(), 0)
})
