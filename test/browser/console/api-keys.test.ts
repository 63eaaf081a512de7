import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('an API key of the console does what its permissions allow, and stops after a rotation and a deletion', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, app, signIn, complaints } = parts
  const statusOf = async (key: string, path: string) =>
    (await app.inject({ url: `/v1/admin/${path}`, headers: { authorization: `Bearer ${key}` } })).statusCode
  const shownKey = async () => {
    const key = await page.locator('.secret pre').textContent() ?? ''
    await page.getByRole('button', { name: 'I have kept it' }).click()
    return key
  }
  await page.goto(at('api-keys'))
  await signIn()
  await page.getByRole('button', { name: 'New API key' }).first().click()
  await page.getByLabel('Name').fill('Deploy pipeline')
  await page.getByLabel('Permissions').selectOption('some')
  await page.getByLabel('Read sources').waitFor()
  t.equal(await page.getByLabel('Delete sources').count(), 0, 'an editor has no such permission')
  await page.getByRole('button', { name: 'Create the API key' }).click()
  await page.getByText('Choose at least one permission.').waitFor()
  await page.getByLabel('Read sources').check()
  await page.getByRole('button', { name: 'Create the API key' }).click()
  const first = await shownKey()
  t.match(first, /^gh_\w{49}$/)
  t.equal(await statusOf(first, 'sources'), 200)
  t.equal(await statusOf(first, 'events'), 403, 'another permission')

  await page.getByRole('button', { name: 'Actions for Deploy pipeline' }).click()
  await page.getByRole('menuitem', { name: 'Rotate…' }).click()
  await page.getByLabel('The previous key works for').selectOption('0')
  await page.getByRole('button', { name: 'Rotate the key' }).click()
  const second = await shownKey()
  t.equal(await statusOf(first, 'sources'), 401, 'the previous key has stopped')
  t.equal(await statusOf(second, 'sources'), 200)

  await page.getByRole('button', { name: 'Actions for Deploy pipeline' }).click()
  await page.getByRole('menuitem', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the API key' }).click()
  await page.getByText('No API key yet').waitFor()
  t.equal(await statusOf(second, 'sources'), 401)
  t.same(complaints, [])
})
