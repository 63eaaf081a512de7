import t from 'tap'

import { createTeam, emptyList, failing, openDialog } from '../../../helpers/console-team.js'
import { playScenes } from '../../../helpers/scenes.js'

let ann = ''

t.test('the pages of users and invitations', (t) => playScenes(t, {
  options: { identityMocks: true },
  prepare: async (parts) => {
    ann = await createTeam(parts)
    return undefined
  },
  scenes: [
    { name: 'users', path: 'console/users', arrange: (page) => page.getByRole('link', { name: 'ann.archer@shop.example.com' }).waitFor() },
    {
      name: 'users-error',
      path: 'console/users',
      intercept: failing('**/v1/admin/users?*'),
      arrange: (page) => page.getByRole('alert').waitFor(),
      unpictured: true
    },
    { name: 'users-invite', path: 'console/users', arrange: openDialog('Invite a user', 'Invite a user') },
    {
      name: 'invitations',
      path: 'console/users?tab=invitations',
      arrange: (page) => page.getByText('admin@example.com').first().waitFor()
    },
    {
      name: 'invitations-empty',
      path: 'console/users?tab=invitations',
      intercept: emptyList('**/v1/admin/users/invitations?*'),
      arrange: (page) => page.getByText('No open invitation').waitFor()
    },
    {
      name: 'invitations-withdraw',
      path: 'console/users?tab=invitations',
      arrange: openDialog('Withdraw…', 'Withdraw the invitation?'),
      unpictured: true
    },
    {
      name: 'user',
      path: () => `console/users/${ann}`,
      arrange: (page) => page.getByText('Accounts at identity providers').waitFor()
    },
    { name: 'user-lock-out', path: () => `console/users/${ann}`, arrange: openDialog('Lock the user out now…', /^Lock/) },
    { name: 'user-remove', path: () => `console/users/${ann}`, arrange: openDialog('Remove from the organisation…', /^Remove/) }
  ]
}))
