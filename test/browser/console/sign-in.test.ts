import t from 'tap'

import { openConsole } from '../../helpers/console.js'

t.test('a deep link asks for a sign-in, says when it is wrong, and then shows the page; a reload stays signed in', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, complaints } = parts
  await page.goto(at('sources'))
  await signIn('admin@example.com', 'a wrong password')
  await page.getByRole('alert').getByText('The email or the password is wrong').waitFor()
  t.equal(await page.getByLabel('Email').inputValue(), 'admin@example.com', 'what was entered stays')
  await signIn()
  await page.getByRole('heading', { name: 'Sources' }).waitFor()
  t.equal(page.url(), at('sources'))
  await page.getByRole('link', { name: 'Demo' }).waitFor()

  await page.reload()
  await page.getByRole('link', { name: 'Demo' }).click()
  await page.getByRole('heading', { name: 'Demo' }).waitFor()
  t.match(page.url(), /\/console\/sources\/[\w-]+$/)
  await page.goBack()
  await page.getByRole('heading', { name: 'Sources' }).waitFor()
  t.equal(page.url(), at('sources'))
  await page.goForward()
  await page.getByRole('heading', { name: 'Demo' }).waitFor()
  t.same(complaints, [])
})

t.test('a person who tried too many passwords sees in how many seconds the next try is allowed', async (t) => {
  const parts = await openConsole(t, { variables: { LOGIN_RATE_MAX: '2' } })
  if (parts === null) return
  const { page, at, signIn } = parts
  await page.goto(at('profile'))
  for (let attempt = 0; attempt < 2; attempt++) {
    // The alert of the second attempt looks like that of the first one.
    const refused = page.waitForResponse('**/auth/login')
    await signIn('admin@example.com', 'a wrong password')
    t.equal((await refused).headers()['retry-after'], undefined)
    await page.getByRole('alert').getByText('The email or the password is wrong').waitFor()
    t.equal(await page.getByText(/^Try again in/).count(), 0)
  }
  const refused = page.waitForResponse('**/auth/login')
  await signIn('admin@example.com', 'a wrong password')
  const seconds = Number((await refused).headers()['retry-after'])
  const text = await page.getByRole('alert').getByText(/^Try again in \d+ s$/).textContent()
  const shown = Number(/\d+/.exec(text ?? '')?.[0])
  t.ok(shown > 0 && shown <= seconds && shown > seconds - 10, `${shown} of ${seconds} seconds`)
})

t.test('scripts of the page can read no token, in the cookies or in the storage', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, context } = parts
  await page.goto(at(''))
  await signIn()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  const kept = await page.evaluate('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])')
  t.equal(kept, '["",{"gatehouse session":"yes"},{}]')
  const refresh = (await context.cookies()).find(({ name }) => name === '__Secure-gatehouse-refresh')
  t.match(refresh, { httpOnly: true, secure: true, sameSite: 'Strict', path: '/v1/admin/auth' })
})

t.test('a sign-out ends the session in all tabs, and the back button shows nothing of it', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, context } = parts
  await page.goto(at('sources'))
  await signIn()
  await page.getByRole('link', { name: 'Demo' }).waitFor()
  const other = await context.newPage()
  await other.goto(at('profile'))
  await other.getByRole('heading', { name: 'Profile' }).waitFor()
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goto(at('profile'))
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  t.equal(await page.getByRole('link', { name: 'Demo' }).count(), 0)
})

t.test('a person signs in through an identity provider and returns to the page of the deep link', async (t) => {
  const parts = await openConsole(t, { identityMocks: true })
  if (parts === null) return
  const { page, at } = parts
  await page.goto(at('profile'))
  await page.getByRole('link', { name: 'Continue with Mock OpenID' }).click()
  await page.getByText('Ann Archer').click()
  await page.getByRole('heading', { name: 'Profile' }).waitFor()
  t.equal(page.url(), at('profile'), 'the code has left the address')
  await page.getByText('ann@example.com').first().waitFor()
})
