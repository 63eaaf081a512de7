import t from 'tap'

import { openConsole } from '../../helpers/console.js'
import type { Console } from '../../helpers/console.js'
import { until } from '../../helpers/until.js'

/** Returns a function that embeds as a signed-in visitor of the demo pages, and resolves with the status. */
async function visitor ({ app }: Console, user: string): Promise<() => Promise<number>> {
  const { cookies: [cookie] } = await app.inject({ method: 'POST', url: '/demo/session', payload: { user } })
  return async () => (await app.inject({
    url: '/api/generate-token', headers: { cookie: `${cookie?.name}=${cookie?.value}` }
  })).statusCode
}

t.test('an owner finds the request of a user, locks the user out, and lifts it again', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, complaints } = parts
  const embed = await visitor(parts, 'ann@example.com')
  t.equal(await embed(), 200)

  await page.goto(at('embeds?user_id=ann%40example.com'))
  await signIn()
  await page.getByRole('link', { name: 'ann@example.com' }).click()
  await page.getByRole('dialog').getByText('A widget token was issued').waitFor()
  await page.getByRole('button', { name: 'Revoke this user…' }).click()
  t.equal(await page.getByRole('textbox', { name: 'User', exact: true }).inputValue(), 'ann@example.com')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('What a product has already been given cannot be called back').waitFor()
  t.equal(await embed(), 200, 'the question alone revokes nothing')
  await page.getByRole('button', { name: 'Revoke the user now' }).click()
  await page.getByText('Blocked', { exact: true }).waitFor()

  t.equal(await embed(), 403)
  t.equal(await (await visitor(parts, 'ann@example.com'))(), 403, 'a new sign-in does not help')
  const { data: [revocation] } = await store.revocations.list('default', {}, { limit: 1 })
  t.match(revocation, { kind: 'user', subject: 'ann@example.com' })
  const hours = Math.round((Number(revocation?.before) - Number(revocation?.createdAt)) / 3_600_000)
  t.equal(hours, 24, 'a day, as the form says')

  await page.getByRole('button', { name: 'Lift the revocation of ann@example.com' }).click()
  await page.getByRole('button', { name: 'Lift the revocation', exact: true }).click()
  await page.getByText('Nothing is revoked').first().waitFor()
  t.equal(await embed(), 200)

  await page.goto(at('audit-log?action=embed.revoked'))
  await page.getByText('revoked the embeds of the user ann@example.com').waitFor()
  t.same(complaints, [])
})

t.test('the command palette leads to the lock-out, and a dashboard is revoked in any spelling', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store } = parts
  await page.goto(at('profile'))
  await signIn()
  await page.getByRole('heading', { name: 'Profile' }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').waitFor()
  await page.keyboard.type('lock user out')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByRole('combobox', { name: 'What to revoke' }).selectOption('dashboard')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('[aria-invalid]').waitFor()
  await page.getByRole('textbox', { name: 'Dashboard', exact: true }).fill('/Sales/Overview/')
  await page.getByRole('combobox', { name: 'For how long' }).selectOption('now')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('A new sign-in to your site is accepted again.').waitFor()
  await page.getByRole('button', { name: 'Revoke the dashboard now' }).click()
  await page.getByText('New sign-ins accepted').waitFor()
  const { data } = await store.revocations.list('default', {}, { limit: 10 })
  t.match(data, [{ kind: 'dashboard', subject: 'sales/overview' }])
  t.ok(Number(data[0]?.before) <= Number(data[0]?.createdAt), 'no block: the cut-off is not in the future')
})

t.test('a viewer sees requests without persons, revokes nothing, and has no audit log', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, first } = parts
  const owner = await store.users.findByEmail(first.email)
  await store.users.create({
    orgId: 'default', email: 'viewer@example.com', passwordHash: owner?.passwordHash ?? '', role: 'viewer'
  })
  const embed = await visitor(parts, 'ann@example.com')
  await embed()
  await until('the request is in the audit log', async () =>
    (await store.audit.list('default', { action: 'widget_token.minted' }, { limit: 1 })).data.length > 0)
  await page.goto(at('embeds'))
  await signIn('viewer@example.com')
  await page.getByText('A widget token was issued').waitFor()
  t.equal(await page.getByText('ann@example.com').count(), 0)
  t.equal(await page.getByRole('button', { name: /Revoke|Lock/ }).count(), 0)
  t.equal(await page.getByLabel('User id').count(), 0)
  await page.goto(at('embeds?revoke=user&subject=ann%40example.com'))
  await page.getByText('A widget token was issued').waitFor()
  t.equal(await page.getByRole('dialog').count(), 0, 'also not by a link')
  await page.goto(at('audit-log'))
  await page.getByText('Your role does not include this page').waitFor()
})
