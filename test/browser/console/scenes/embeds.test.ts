import t from 'tap'

import { seedEmbeds } from '../../../helpers/console-embeds.js'
import { playScenes } from '../../../helpers/scenes.js'

const NOTHING = { data: [], next_cursor: null, has_more: false }

t.test('the requests for embeds', (t) => playScenes(t, {
  prepare: async ({ store }) => {
    await seedEmbeds(store)
    return undefined
  },
  scenes: [
    {
      name: 'embeds',
      path: 'console/embeds',
      arrange: (page) => page.getByText('A widget token was issued').waitFor()
    },
    {
      name: 'embeds-empty',
      path: 'console/embeds',
      intercept: (page) => page.route('**/v1/admin/embeds?*', (route) => route.fulfill({ json: NOTHING })),
      arrange: (page) => page.getByText('Nobody has asked for an embed yet').waitFor()
    },
    {
      name: 'embeds-error',
      path: 'console/embeds',
      intercept: (page) => page.route('**/v1/admin/embeds?*', (route) => route.fulfill({
        status: 429, json: { error: { code: 'RATE_LIMITED', message: 'Too many requests. Try again later.' } }
      })),
      arrange: (page) => page.getByRole('alert').waitFor(),
      unpictured: true
    },
    {
      name: 'embeds-request',
      path: 'console/embeds?outcome=refused',
      arrange: async (page) => {
        await page.getByRole('link', { name: 'mallory@example.com' }).first().click()
        await page.getByRole('dialog').waitFor()
      }
    }
  ]
}))
