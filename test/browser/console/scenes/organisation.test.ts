import t from 'tap'

import { failing, openDialog } from '../../../helpers/console-team.js'
import { playScenes } from '../../../helpers/scenes.js'

t.test('the page of the organisation', (t) => playScenes(t, {
  scenes: [
    {
      name: 'organisation',
      path: 'console/organisation',
      arrange: (page) => page.getByRole('rowheader', { name: 'Read sources' }).waitFor()
    },
    {
      name: 'organisation-second-factor',
      path: 'console/organisation',
      arrange: openDialog('Require it…', 'Require a second factor?')
    },
    {
      name: 'organisation-error',
      path: 'console/organisation',
      intercept: failing('**/v1/admin/organisation'),
      arrange: (page) => page.getByRole('alert').waitFor(),
      unpictured: true
    }
  ]
}))
