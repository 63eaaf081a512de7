import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('a directory provisions a user with a token of the page, until the token is replaced and revoked', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, app, store, origin, complaints } = parts
  const { id } = await store.ssoDomains.add({ orgId: 'default', domain: 'acme.example', token: 'token' })
  await store.ssoDomains.verify('default', id)
  await page.goto(at('scim'))
  await signIn()
  t.equal(await page.locator('.facts code').first().textContent(), `${origin}/scim/v2`)
  await page.getByRole('button', { name: 'New token' }).click()
  await page.getByLabel('Name').fill('Okta')
  await page.getByRole('button', { name: 'Create the token' }).click()
  const shown = page.locator('.secret pre')
  const first = await shown.textContent() ?? ''
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByRole('cell', { name: 'Never used' }).waitFor()

  await page.getByRole('button', { name: 'Change the roles…' }).click()
  await page.getByLabel('Role without a group').selectOption('Editor')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })

  const provision = async (key: string, userName: string) => (await app.inject({
    method: 'POST',
    url: '/scim/v2/Users',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/scim+json' },
    payload: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName })
  })).statusCode
  t.equal(await provision(first, 'ann@acme.example'), 201)
  const users = await app.inject({
    url: '/v1/admin/users', headers: { authorization: `Bearer ${await parts.ownerToken()}` }
  })
  const found = users.json().data.find(({ email }: { email: string }) => email === 'ann@acme.example')
  t.match(found, { role: 'editor', disabled: false }, 'the user is among the users')

  await page.getByRole('button', { name: 'Rotate…' }).click()
  await page.getByLabel('The previous token works for').selectOption('It ends at once')
  await page.getByRole('button', { name: 'Rotate the token' }).click()
  const second = await shown.textContent() ?? ''
  await page.getByRole('button', { name: 'I have kept it' }).click()
  t.not(second, first)
  t.equal(await provision(first, 'ben@acme.example'), 401, 'the previous token')
  t.equal(await provision(second, 'ben@acme.example'), 201)

  await page.getByRole('button', { name: 'Stop provisioning…' }).click()
  await page.getByText('Users, groups and roles that the directory created stay as they are').waitFor()
  await page.getByRole('button', { name: 'Revoke the token' }).click()
  await page.getByText('No directory is connected').waitFor()
  t.equal(await provision(second, 'cleo@acme.example'), 401)
  t.equal((await store.users.findByEmail('ann@acme.example'))?.disabled, false, 'what it created stays')
  t.same(complaints, [])
})

t.test('groups give roles; a group twice is a mistake at its field', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store } = parts
  await page.goto(at('scim'))
  await signIn()
  await page.getByRole('button', { name: 'Change the roles…' }).click()
  for (const [number, group] of ['Data team', 'data team'].entries()) {
    await page.getByRole('button', { name: 'Add a row' }).click()
    await page.getByLabel(`Group ${number + 1}`).fill(group)
  }
  await page.getByLabel('Role 1').selectOption('Editor')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('must not occur twice').waitFor()
  await page.getByRole('button', { name: 'Remove row 2' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('cell', { name: 'Data team' }).waitFor()
  t.same((await store.scim.settings('default')).groupRoles, [{ group: 'Data team', role: 'editor' }])
})
