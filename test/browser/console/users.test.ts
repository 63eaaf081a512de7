import t from 'tap'

import { openConsoleWithMail } from '../../helpers/console-mail.js'
import { openConsole, watch } from '../../helpers/console.js'

const PASSWORD = 'violet anchors drift slowly'

t.test('an owner invites a user, changes the role and locks the user out, and the other browser follows', async (t) => {
  const parts = await openConsoleWithMail(t)
  if (parts === null) return
  const { page, browser, at, signIn, linkTo, ownerToken, app, origin, store, complaints } = parts
  await page.goto(at('users'))
  await signIn()
  await page.getByRole('button', { name: 'Invite a user' }).click()
  await page.getByLabel('Email').fill('ann@example.com')
  await page.getByLabel('Role').selectOption('editor')
  await page.getByRole('button', { name: 'Send the invitation' }).click()
  await page.getByRole('cell', { name: 'ann@example.com' }).waitFor()
  t.equal(page.url(), at('users?tab=invitations'))

  const other = await (await browser.newContext()).newPage()
  watch(other, origin, complaints)
  await other.goto(await linkTo('ann@example.com', 'invitation'))
  await other.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await other.getByRole('button', { name: 'Accept the invitation' }).click()
  await other.getByRole('link', { name: 'Sign in' }).waitFor()
  await other.goto(at('sources'))
  await signIn('ann@example.com', PASSWORD, other)
  await other.getByRole('link', { name: 'New source' }).waitFor()
  t.equal(await other.getByRole('link', { name: 'Users', exact: true }).count(), 0, 'an editor sees no users')

  await page.getByRole('link', { name: 'Members' }).click()
  await page.getByRole('link', { name: 'ann@example.com' }).click()
  await page.getByLabel('Role in this organisation').selectOption('viewer')
  await page.getByRole('button', { name: 'Change the role' }).click()
  await page.getByText('ann@example.com now has the role viewer.').waitFor()
  const ann = await store.users.findByEmail('ann@example.com')
  const id = ann?.id ?? ''
  t.equal((await store.members.get('default', id))?.role, 'viewer')
  await other.reload()
  await other.getByRole('link', { name: 'Demo' }).waitFor()
  t.equal(await other.getByRole('link', { name: 'New source' }).count(), 0, 'the action is gone')

  await page.getByRole('button', { name: 'Lock the user out now…' }).click()
  await page.getByLabel(/^User id at your site/).fill('shopper-7')
  await page.getByRole('button', { name: 'Lock the user out', exact: true }).click()
  await page.getByRole('button', { name: 'Enable the user…' }).waitFor()
  t.equal((await store.sessions.list(id)).length, 0, 'the sessions have ended')
  t.match((await store.revocations.list('default', {}, { limit: 10 })).data, [{ kind: 'user', subject: 'shopper-7' }])
  await other.getByRole('link', { name: 'Profile' }).click()
  await other.getByRole('dialog', { name: 'Your session has ended' }).waitFor()

  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const { data } = (await app.inject({ url: '/v1/admin/audit-logs?limit=100', headers })).json()
  const actions = data.map(({ action }: { action: string }) => action)
  for (const action of ['user.invited', 'user.updated', 'user.disabled', 'embed.revoked']) {
    t.ok(actions.includes(action), `the audit log has ${action}`)
  }
  t.same(complaints, [])
})

t.test('a user ends the session in another browser, which is signed out', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, browser, at, signIn, first, store } = parts
  await page.goto(at('profile'))
  await signIn()
  await page.getByText('This one').waitFor()
  const other = await (await browser.newContext()).newPage()
  await other.goto(at('sources'))
  await signIn(undefined, undefined, other)
  await other.getByRole('link', { name: 'Demo' }).waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'End…' }).click()
  await page.getByRole('button', { name: 'End the session' }).click()
  await page.getByText('The session has ended.').waitFor()
  await other.getByRole('link', { name: 'Demo' }).click()
  await other.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
  const owner = await store.users.findByEmail(first.email)
  t.equal((await store.sessions.list(owner?.id ?? '')).length, 1)
})

t.test('a long list pages by cursor, with a deep link and the back button', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, complaints } = parts
  for (let number = 1; number <= 30; number++) {
    await store.users.create({ orgId: 'default', email: `user-${number}@example.com`, passwordHash: 'none', role: 'viewer' })
  }
  await page.goto(at('users'))
  await signIn()
  await page.getByRole('link', { name: 'user-30@example.com' }).waitFor()
  t.equal(await page.getByRole('row').count(), 26, 'a head and 25 users')
  await page.getByRole('link', { name: 'Older' }).click()
  await page.getByRole('link', { name: 'user-1@example.com' }).waitFor()
  t.equal(await page.getByRole('row').count(), 7, 'a head, 5 users and the owner')
  t.equal(await page.getByRole('link', { name: 'Older' }).count(), 0, 'nothing follows')
  await page.reload()
  await page.getByRole('link', { name: 'user-1@example.com' }).waitFor()
  await page.goBack()
  await page.getByRole('link', { name: 'user-30@example.com' }).waitFor()
  await page.goForward()
  await page.getByRole('link', { name: 'Newest' }).click()
  await page.getByRole('link', { name: 'user-30@example.com' }).waitFor()
  t.equal(page.url(), at('users'))
  t.same(complaints, [])
})

t.test('an admin sees owners without the actions of owners, and removes a member', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, first, store } = parts
  const owner = await store.users.findByEmail(first.email)
  const id = owner?.id ?? ''
  await store.users.create({ orgId: 'default', email: 'zoe@example.com', passwordHash: 'none', role: 'owner' })
  const { id: leo } = await store.users.create({ orgId: 'default', email: 'leo@example.com', passwordHash: 'none', role: 'viewer' })
  await store.members.update('default', id, { role: 'admin' })
  await page.goto(at('users'))
  await signIn()
  await page.getByRole('link', { name: 'zoe@example.com' }).click()
  await page.getByText('Only an owner changes').waitFor()
  t.equal(await page.getByRole('button', { name: 'Lock the user out now…' }).count(), 0)
  await page.goBack()
  await page.getByRole('link', { name: 'leo@example.com' }).click()
  await page.getByLabel('Role in this organisation').waitFor()
  t.same(await page.getByLabel('Role in this organisation').locator('option').allTextContents(), ['Viewer', 'Editor', 'Admin'])
  await page.getByRole('button', { name: 'Remove from the organisation…' }).click()
  await page.getByRole('button', { name: 'Remove the user' }).click()
  await page.getByRole('heading', { name: 'Users' }).waitFor()
  t.equal(await store.members.get('default', leo), null)
})
