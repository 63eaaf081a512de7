import type { Page } from 'playwright-core'
import t from 'tap'

import { startOidcProvider } from '../../../server/mock-products/oidc/index.js'
import { openConsole } from '../../helpers/console.js'

/** The value of a fact of the current page. */
async function fact (page: Page, name: string): Promise<string> {
  const row = page.locator('.facts > div').filter({ has: page.getByText(name, { exact: true }) })
  return (await row.locator('code').textContent()) ?? ''
}

t.test('an owner adds a provider of OpenID Connect; people sign in with the roles of their groups, until it is deleted', async (t) => {
  const parts = await openConsole(t, { identityMocks: true })
  if (parts === null) return
  const { page, at, signIn, store, origin, browser, complaints } = parts
  const redirectUris = [`${origin}/registered-later`]
  const idp = await startOidcProvider({ redirectUris })
  t.teardown(() => idp.close())
  await page.goto(at('sso'))
  await signIn()
  await page.getByText('Mock OpenID and Mock SAML, which cannot be changed here').waitFor()
  await page.getByRole('button', { name: 'New identity provider' }).click()
  await page.getByLabel('Product').selectOption('Another provider')
  await page.getByLabel('Name').fill('Acme ID')
  await page.getByLabel('Issuer').fill('http://login.example.com')
  await page.getByLabel('Client ID').fill(idp.clientId)
  await page.getByLabel('Client secret', { exact: true }).fill(idp.clientSecret)
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.getByText('Must be an https URL without a query').waitFor()
  t.equal(await page.getByLabel('Issuer').getAttribute('aria-invalid'), 'true', 'the mistake is at the field')
  await page.getByLabel('Issuer').fill(idp.issuer)
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.getByRole('heading', { name: 'Acme ID' }).waitFor()
  redirectUris.push(await fact(page, 'Redirect URI'))

  await page.getByRole('button', { name: 'Change the roles…' }).click()
  await page.getByLabel('Claim with the roles or groups').fill('groups')
  await page.getByRole('button', { name: 'Add a row' }).click()
  await page.getByLabel('Value 1').fill('a typing mistake')
  await page.getByRole('button', { name: 'Add a row' }).click()
  await page.getByLabel('Value 2').fill('analytics-editors')
  await page.getByLabel('Role 2').selectOption('Editor')
  await page.getByRole('button', { name: 'Remove row 1' }).click()
  await page.getByLabel('Role without a matching value').selectOption('No access')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('cell', { name: 'analytics-editors' }).waitFor()
  const id = page.url().split('/').at(-1) ?? ''
  t.match(await store.identityProviders.get('default', id), {
    roles: { claim: 'groups', mapping: [{ value: 'analytics-editors', role: 'editor' }], fallback: null }
  })

  const enter = async (email: string, person: string) => {
    const other = await (await browser.newContext()).newPage()
    await other.goto(at('profile'))
    await other.getByLabel('Email').fill(email)
    await other.getByLabel('Email').blur()
    await other.getByRole('link', { name: 'Continue with Acme ID' }).click()
    await other.getByText(person).click()
    return other
  }
  const ann = await enter('ann@example.com', 'Ann Archer')
  await ann.getByText('You have no access here').waitFor()
  const ben = await enter('ben@example.com', 'Ben Baker')
  await ben.getByRole('heading', { name: 'Profile' }).waitFor()
  const user = await store.users.findByEmail('ben@example.com')
  t.equal(user?.role, 'editor')
  t.equal((await store.identities.ofUser('default', user?.id ?? ''))[0]?.providerId, id)

  await page.getByRole('button', { name: 'Disable…' }).click()
  await page.getByRole('button', { name: 'Disable the provider' }).click()
  await page.getByRole('button', { name: 'Enable', exact: true }).waitFor()
  t.equal((await store.identityProviders.get('default', id))?.enabled, false)
  await page.getByRole('button', { name: 'Enable', exact: true }).click()
  await page.getByRole('button', { name: 'Disable…' }).waitFor()

  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the provider' }).click()
  await page.getByRole('heading', { name: 'No identity provider yet' }).waitFor()
  t.equal(await store.identityProviders.get('default', id), null)
  await ben.reload()
  await ben.getByRole('heading', { name: 'Sign in' }).waitFor()
  t.same(complaints, [])
})

t.test('an owner adds a SAML provider by its metadata, replaces a setting and sees what to enter there', async (t) => {
  const parts = await openConsole(t, { identityMocks: true })
  if (parts === null) return
  const { page, at, signIn, store, mocks, complaints } = parts
  const metadata = await (await fetch(mocks?.saml.metadataUrl ?? '')).text()
  await page.goto(at('sso'))
  await signIn()
  await page.getByRole('button', { name: 'New identity provider' }).click()
  await page.getByLabel('Product').selectOption('OneLogin')
  await page.getByLabel('Metadata (XML)').fill(metadata.replace('EntityDescriptor', 'Nothing'))
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.locator('.mistake').waitFor()
  t.ok(await page.getByRole('dialog').isVisible(), 'the form stays')
  await page.getByLabel('Metadata (XML)').fill(metadata)
  await page.getByRole('button', { name: 'Add the provider' }).click()
  await page.getByRole('heading', { name: 'OneLogin', exact: true }).waitFor()
  const id = page.url().split('/').at(-1) ?? ''
  t.match(await fact(page, 'Entity ID'), `/v1/admin/auth/sso/saml/${id}/metadata`)
  t.match(await fact(page, 'Assertion consumer service (ACS) URL'), `/v1/admin/auth/sso/saml/${id}/acs`)
  t.equal(await fact(page, 'Login URL'), mocks?.saml.ssoUrl)

  await page.getByRole('button', { name: 'Change the settings…' }).click()
  await page.getByText('More settings').click()
  await page.getByLabel('Sign requests').check()
  await page.getByLabel('Require a signature around the whole response').check()
  await page.getByLabel('Accepted difference of the clocks').fill('30')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Require a signature around the whole response', { exact: true }).last().waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const { settings } = await store.identityProviders.get('default', id) ?? {}
  t.match(settings, { want_response_signed: true, sign_requests: true, clock_skew_seconds: 30 })
  t.equal(settings?.['idp_entity_id'], mocks?.saml.entityId)
  t.equal(settings?.['allow_idp_initiated'], undefined, 'what was not changed keeps its default')
  t.same(complaints, [])
})

t.test('an admin reads single sign-on but is offered no change, and an editor has no such page', async (t) => {
  const parts = await openConsole(t, { identityMocks: true })
  if (parts === null) return
  const { page, at, store } = parts
  await store.identityProviders.create({
    orgId: 'default',
    kind: 'oidc',
    name: 'Okta',
    enabled: true,
    settings: { issuer: 'https://acme.okta.com', client_id: 'a' },
    secret: 'a secret',
    roles: { claim: null, mapping: [], fallback: 'viewer' }
  })
  const enter = async (person: string) => {
    await page.getByRole('link', { name: 'Continue with Mock OpenID' }).click()
    await page.getByText(person).click()
  }
  await page.goto(at('sso'))
  await enter('Ann Archer')
  await page.getByRole('link', { name: 'Okta' }).click()
  await page.getByText('Sign-in redirect URIs').waitFor()
  const names = await page.locator('main').getByRole('button').allTextContents()
  t.same(names.filter((name) => name !== ''), [], 'only buttons that copy')
  await page.goto(at('scim'))
  await page.getByRole('button', { name: 'New token' }).waitFor()
  await page.getByText('Without a group in this list').waitFor()
  t.equal(await page.getByRole('button', { name: 'Change the roles…' }).count(), 0)

  const editor = await (await parts.browser.newContext()).newPage()
  await editor.goto(at('sso'))
  await editor.getByRole('link', { name: 'Continue with Mock OpenID' }).click()
  await editor.getByText('Ben Baker').click()
  await editor.getByRole('heading', { name: 'Your role does not include this page' }).waitFor()
  t.equal(await editor.getByRole('link', { name: 'Single sign-on' }).count(), 0)
})
