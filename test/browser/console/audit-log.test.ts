import t from 'tap'

import { seedAudit } from '../../helpers/console-embeds.js'
import { openConsole } from '../../helpers/console.js'

t.test('an owner reads what was done, narrows it to an actor by email, and pages back', async (t) => {
  const parts = await openConsole(t)
  if (parts === null) return
  const { page, at, signIn, store, first, complaints } = parts
  const owner = await store.users.findByEmail(first.email)
  const { data: [source] } = await store.sources.list('default', { limit: 1 })
  await seedAudit(store, [
    ...Array.from({ length: 60 }, (_entry, at) => ({ ago: 2_000 + at, action: 'auth.login_failed', userEmail: `guest${at}@example.com` })),
    {
      ago: 1,
      action: 'source.key_rotated',
      userId: owner?.id ?? null,
      userEmail: first.email,
      resourceType: 'source',
      resourceId: source?.id ?? null,
      changes: { overlap_seconds: 60 }
    }
  ])
  await page.goto(at('audit-log'))
  await signIn()
  await page.getByText(`${first.email} rotated the pipeline key of ${source?.name}`).waitFor()
  await page.getByRole('heading', { name: /^Today, / }).waitFor()
  await page.getByRole('link', { name: 'Older' }).click()
  await page.getByText('A sign-in as guest59@example.com failed').waitFor()
  await page.goBack()
  await page.getByText('rotated the pipeline key').waitFor()

  await page.getByLabel('Actor: email or id').fill(first.email.toUpperCase())
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('guest0@example.com').waitFor({ state: 'detached' })
  t.match(new URL(page.url()).searchParams.get('user_id'), first.email.toUpperCase())
  await page.getByRole('link', { name: 'Details of source.key_rotated' }).click()
  await page.getByRole('dialog').getByText('overlap_seconds').waitFor()
  await page.reload()
  await page.getByRole('dialog').getByText('overlap_seconds').waitFor()
  await page.getByRole('dialog').getByRole('link', { name: source?.name ?? '' }).click()
  await page.getByRole('heading', { name: source?.name ?? '' }).first().waitFor()
  t.same(complaints, [])
})
