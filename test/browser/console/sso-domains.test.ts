import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('an owner proves an email domain, requires single sign-on for it, and passwords of it end', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, browser, complaints } = parts
  await page.goto(at('sso'))
  await signIn()
  await page.getByRole('button', { name: 'Add a domain' }).click()
  await page.getByRole('textbox', { name: 'Domain' }).fill('https://acme.example/')
  await page.getByRole('button', { name: 'Add the domain' }).click()
  await page.getByText('Must be a domain such as example.com').waitFor()
  await page.getByRole('textbox', { name: 'Domain' }).fill('acme.example')
  await page.getByRole('button', { name: 'Add the domain' }).click()

  const proof = page.getByRole('dialog', { name: 'Prove acme.example' })
  await proof.waitFor()
  const [domain] = (await store.ssoDomains.list('default', { limit: 1 })).data
  const id = domain?.id ?? ''
  t.equal(new URL(page.url()).searchParams.get('domain'), id, 'the record has a link')
  await proof.getByText('_gatehouse.acme.example').waitFor()
  await proof.getByText(`gatehouse-domain-verification=${domain?.token}`).waitFor()
  // The name servers of the machine are outside the test.
  await page.route('**/verify', (route) => route.fulfill({
    status: 409, json: { error: { code: 'CONFLICT', message: 'The TXT record was not found' } }
  }), { times: 1 })
  await proof.getByRole('button', { name: 'Check now' }).click()
  await proof.getByText('The TXT record was not found').waitFor()
  await store.ssoDomains.verify('default', id)
  await proof.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('Proved', { exact: true }).waitFor()
  await page.waitForURL(at('sso'))

  await page.getByRole('button', { name: 'Require single sign-on…' }).click()
  await page.getByRole('button', { name: 'Require single sign-on', exact: true }).click()
  await page.getByText('Add an enabled identity provider before').waitFor()
  t.equal((await store.ssoDomains.get('default', id))?.sso, 'optional')
  const { id: provider } = await store.identityProviders.create({
    orgId: 'default',
    kind: 'oidc',
    name: 'Okta',
    enabled: true,
    settings: { issuer: 'https://acme.okta.com', client_id: 'a' },
    secret: 'a secret',
    roles: { claim: null, mapping: [], fallback: 'viewer' }
  })
  await page.getByRole('button', { name: 'Require single sign-on', exact: true }).click()
  await page.getByRole('cell', { name: 'Owners only' }).waitFor()
  t.equal((await store.ssoDomains.get('default', id))?.sso, 'required')

  const other = await (await browser.newContext()).newPage()
  await other.goto(at(''))
  await other.getByLabel('Email').fill('ann@acme.example')
  await other.getByLabel('Email').blur()
  await other.getByText('Passwords do not work for your domain').waitFor()
  await other.getByRole('link', { name: 'Continue with Okta' }).waitFor()

  await page.goto(at(`sso/${provider}`))
  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByText('Only owners can still sign in with an email of acme.example').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.goto(at('sso'))
  await page.getByRole('button', { name: 'Remove…' }).click()
  await page.getByRole('button', { name: 'Remove the domain' }).click()
  await page.getByText('No email domain yet').waitFor()
  t.equal(await store.ssoDomains.get('default', id), null)
  t.same(complaints, [])
})
