import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('a reader finds a page by the keyboard alone, and the back button returns', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, origin, complaints } = parts
  await page.goto(`${origin}/guide/`)
  await page.keyboard.press('/')
  await page.keyboard.type('kill -9')
  const options = page.getByRole('option')
  await options.first().waitFor()
  await page.getByRole('combobox').fill('pipeline key rotate')
  await page.getByRole('option', { name: /pipelineKey/ }).first().waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  const href = await page.getByRole('option', { selected: true }).getAttribute('data-href')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${origin}/guide/${href}`)
  await page.goBack()
  t.equal(page.url(), `${origin}/guide/`)
  await page.getByRole('combobox').fill('zzzz')
  await page.getByText('No page contains “zzzz”.').waitFor()
  t.same(complaints, [])
})

t.test('a code block is copied, and the theme lasts', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, context, origin } = parts
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
  await page.goto(`${origin}/guide/install`)
  const block = page.locator('.code').first()
  await block.hover()
  await block.getByRole('button', { name: 'Copy' }).click()
  await block.getByRole('button', { name: 'Copied' }).waitFor()
  t.equal(await page.evaluate('navigator.clipboard.readText()'), (await block.locator('code').innerText()).trimEnd())
  await page.getByRole('button', { name: 'Auto: change the theme' }).click()
  await page.getByRole('button', { name: 'Light: change the theme' }).click()
  await page.goto(`${origin}/docs`)
  await page.getByRole('button', { name: 'Dark: change the theme' }).waitFor()
  t.ok(await page.evaluate('document.documentElement.classList.contains("dark-mode")'))
})

t.test('an engineer signs in on the API documentation and tries a route', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, origin, complaints, ownerToken, app } = parts
  const token = await ownerToken()
  await page.goto(`${origin}/docs#/admin%20sources/createSource`)
  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const scheme = page.locator('.auth-container', { hasText: 'adminAccess' })
  await scheme.locator('input').fill(token)
  await scheme.getByRole('button', { name: 'Apply credentials' }).click()
  await page.getByRole('button', { name: 'Close' }).first().click()
  const operation = page.locator('.opblock', { hasText: 'Create a source' }).first()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  await operation.locator('.live-responses-table').getByText('201').first().waitFor()
  const headers = { authorization: `Bearer ${token}` }
  const { data } = (await app.inject({ url: '/v1/admin/sources', headers })).json() as { data: Array<{ name: string }> }
  t.ok(data.some(({ name }) => name === 'Web shop'), 'the source of the example is there')
  t.same(complaints, [])
})
