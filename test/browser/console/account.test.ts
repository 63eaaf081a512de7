import t from 'tap'

import { openConsoleWithMail } from '../../helpers/console-mail.js'
import { violations } from '../../helpers/console.js'

const PASSWORD = 'violet anchors drift slowly'

t.test('an invited person sets a password, signs in and sees what the role may', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, app, ownerToken, linkTo, signIn, complaints } = parts
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const payload = { email: 'new@example.com', role: 'viewer' }
  t.equal((await app.inject({ method: 'POST', url: '/v1/admin/users/invite', headers, payload })).statusCode, 201)
  await page.goto(await linkTo('new@example.com', 'invitation'))
  await page.getByText('You are invited to default with the role viewer.').waitFor()
  t.notMatch(page.url(), 'token', 'the token has left the address')
  t.same(await violations(page), [])
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Accept the invitation' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signIn('new@example.com', PASSWORD)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.getByRole('link', { name: 'Sources', exact: true }).click()
  await page.getByRole('table').getByRole('link', { name: 'Demo' }).waitFor()
  t.equal(await page.getByRole('link', { name: 'New source' }).count(), 0, 'a viewer creates none')
  t.same(complaints, [])
})

t.test('a person who forgot the password asks for a mail and sets a new one', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, at, first, linkTo, signIn, complaints } = parts
  await page.goto(at('sources'))
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('Email').fill(first.email)
  await page.getByRole('button', { name: 'Send the mail' }).click()
  await page.getByText('If admin@example.com has an account').waitFor()
  await page.goto(await linkTo(first.email, 'password_reset'))
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signIn(first.email, PASSWORD)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  t.same(complaints, [])
})

t.test('a person changes the password, which signs out another browser', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, at, first, signIn, ownerToken, app } = parts
  await page.goto(at('profile'))
  await signIn()
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const other = () => app.inject({ url: '/v1/admin/auth/me', headers })
  t.equal((await other()).statusCode, 200)
  await page.getByLabel('Current password', { exact: true }).fill(first.generatedPassword ?? '')
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('Your password is changed').waitFor()
  t.equal((await other()).statusCode, 401)
  await page.reload()
  await page.getByRole('heading', { name: 'Profile' }).waitFor()
})

t.test('a person ends the session of another browser', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, at, signIn, ownerToken, app } = parts
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('button', { name: 'End…' }).click()
  await page.getByRole('button', { name: 'End the session' }).click()
  await page.getByText('The session has ended.').waitFor()
  t.equal((await app.inject({ url: '/v1/admin/auth/me', headers })).statusCode, 401)
})
