import t from 'tap'

import { PERMISSIONS } from '../../../routes/admin/permissions.js'
import { openConsoleWithMail } from '../../helpers/console-mail.js'
import { openConsole } from '../../helpers/console.js'
import { totpCode } from '../../helpers/mfa.js'

t.test('the table of roles agrees with the routes', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn } = parts
  await page.goto(at('organisation'))
  await signIn()
  await page.getByRole('rowheader', { name: 'Read sources' }).waitFor()
  const shown = await page.evaluate<Record<string, number>>(`Object.fromEntries(
    [...document.querySelectorAll('.matrix tr:has(code)')].map((row) =>
      [row.querySelector('code').textContent, row.querySelectorAll('td .icon').length]))`)
  const actual: Record<string, number> = {}
  for (const { config: { gatehouse: { admin: { permission, roles } } } } of Object.values(PERMISSIONS)) {
    if (permission !== undefined) actual[permission] = Math.max(actual[permission] ?? 0, roles.length)
  }
  t.same(shown, actual, 'how many roles have each permission')
})

t.test('an owner renames the organisation, and a user of two organisations changes to the other one', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, first, complaints } = parts
  const owner = await store.users.findByEmail(first.email)
  const { id: orgId } = await store.organisations.create({ name: 'Other Ltd' })
  await store.members.add({ orgId, userId: owner?.id ?? '', role: 'viewer' })
  await page.goto(at('organisation'))
  await signIn()
  await page.getByLabel('Name').fill('Shop Ltd')
  await page.getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('button', { name: 'Organisation: Shop Ltd' }).click()
  t.equal((await store.organisations.get('default'))?.name, 'Shop Ltd')
  await page.getByRole('menuitemradio', { name: 'Other Ltd' }).click()
  await page.getByRole('button', { name: 'Organisation: Other Ltd' }).waitFor()
  await page.getByRole('heading', { name: 'Other Ltd' }).waitFor()
  t.equal(await page.getByRole('button', { name: 'Rename' }).count(), 0, 'a viewer renames nothing')
  t.equal((await store.sessions.list(owner?.id ?? ''))[0]?.orgId, orgId)
  t.same(complaints, [])
})

t.test('a user sets up the second factor that the organisation requires, during the sign-in', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, first } = parts
  await store.organisations.update('default', { mfa: 'required' })
  await page.goto(at('organisation'))
  await signIn()
  await page.getByText('Your organisation requires a second factor').waitFor()
  await page.getByRole('button', { name: 'Use an authenticator app' }).click()
  await page.getByRole('img', { name: 'QR code' }).waitFor()
  const secret = (await page.locator('.copyable code').textContent() ?? '').replaceAll(' ', '')
  await page.getByLabel('Code', { exact: true }).fill(totpCode(secret, Date.now()))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('button', { name: 'I have kept it' }).click()
  await page.getByRole('button', { name: 'Make it optional…' }).click()
  await page.getByRole('button', { name: 'Make it optional', exact: true }).click()
  await page.getByRole('button', { name: 'Require it…' }).waitFor()
  t.equal((await store.organisations.get('default'))?.mfa, 'optional')
  t.ok(await store.users.findByEmail(first.email))
})

t.test('a user changes the email by the links in both mailboxes', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, context, at, signIn, first, store, linkTo } = parts
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('button', { name: 'Change the email…' }).click()
  await page.getByLabel('New email').fill('renamed@example.com')
  await page.getByRole('dialog').getByLabel('Current password', { exact: true }).fill(first.generatedPassword ?? '')
  await page.getByRole('button', { name: 'Send the mails' }).click()
  await page.getByText('Open the links in the mails').waitFor()
  for (const mailbox of [first.email, 'renamed@example.com']) {
    t.equal(await store.users.findByEmail('renamed@example.com'), null, 'not changed before both are confirmed')
    const opened = await context.newPage()
    await opened.goto(await linkTo(mailbox, 'email_change'))
    await opened.getByRole('button', { name: 'Confirm' }).click()
    await opened.getByRole('heading', { name: 'Confirmed' }).waitFor()
  }
  t.ok(await store.users.findByEmail('renamed@example.com'))
  t.equal(await store.users.findByEmail(first.email), null)
})
