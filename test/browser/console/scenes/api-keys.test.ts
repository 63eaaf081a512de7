import t from 'tap'

import { createTeam, emptyList, openDialog } from '../../../helpers/console-team.js'
import { playScenes } from '../../../helpers/scenes.js'

t.test('the pages of API keys', (t) => playScenes(t, {
  prepare: async (parts) => {
    await createTeam(parts)
    return undefined
  },
  scenes: [
    { name: 'api-keys', path: 'console/api-keys', arrange: (page) => page.getByText('Deploy pipeline').waitFor() },
    {
      name: 'api-keys-empty',
      path: 'console/api-keys',
      intercept: emptyList('**/v1/admin/keys?*'),
      arrange: (page) => page.getByText('No API key yet').waitFor()
    },
    {
      name: 'api-keys-new',
      path: 'console/api-keys',
      arrange: async (page) => {
        await openDialog('New API key', 'New API key')(page)
        await page.getByLabel('Permissions').selectOption('some')
        await page.getByLabel('Create and change sources').check()
      }
    },
    {
      name: 'api-keys-rotate',
      path: 'console/api-keys',
      arrange: async (page) => {
        await page.getByRole('button', { name: 'Actions for Deploy pipeline' }).click()
        await page.getByRole('menuitem', { name: 'Rotate…' }).click()
        await page.getByRole('dialog').waitFor()
      }
    }
  ]
}))
