import t from 'tap'

import { seedEmbeds } from '../../../helpers/console-embeds.js'
import { playScenes } from '../../../helpers/scenes.js'

const NOTHING = { data: [], next_cursor: null, has_more: false }

t.test('the revocations of embeds, and the form that revokes', (t) => playScenes(t, {
  prepare: async ({ store, first }) => {
    await seedEmbeds(store)
    const owner = await store.users.findByEmail(first.email)
    const createdBy = owner?.id ?? 'an administrator'
    const revoke = (kind: 'user' | 'tenant' | 'dashboard', subject: string, before: number) =>
      store.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy })
    await revoke('tenant', 'former-customer', Date.now() - 90_000_000)
    await revoke('dashboard', 'finance/payroll', Date.now() + 30 * 86_400_000)
    await revoke('user', 'mallory@example.com', Date.now() + 86_400_000)
    return undefined
  },
  scenes: [
    {
      name: 'embeds-revocations',
      path: 'console/embeds?tab=revocations',
      arrange: (page) => page.getByText('former-customer').waitFor()
    },
    {
      name: 'embeds-revocations-empty',
      path: 'console/embeds?tab=revocations',
      intercept: (page) => page.route('**/v1/admin/embeds/revocations?*', (route) => route.fulfill({ json: NOTHING })),
      arrange: (page) => page.getByText('Nothing is revoked').first().waitFor(),
      unpictured: true
    },
    {
      name: 'embeds-revoke',
      path: 'console/embeds?revoke=user&subject=ben%40example.com',
      arrange: (page) => page.getByRole('button', { name: 'Continue' }).waitFor()
    },
    {
      name: 'embeds-revoke-question',
      path: 'console/embeds?revoke=user&subject=ben%40example.com',
      arrange: async (page) => {
        await page.getByRole('button', { name: 'Continue' }).click()
        await page.getByRole('button', { name: 'Revoke the user now' }).waitFor()
      }
    },
    {
      name: 'embeds-lift',
      path: 'console/embeds?tab=revocations',
      arrange: async (page) => {
        await page.getByRole('button', { name: 'Lift the revocation of mallory@example.com' }).click()
        await page.getByRole('dialog').waitFor()
      },
      unpictured: true
    }
  ]
}))
