import t from 'tap'

import { playScenes } from '../../../helpers/scenes.js'

t.test('the pages before the sign-in', (t) => playScenes(t, {
  options: { identityMocks: true },
  prepare: async () => 'nobody',
  scenes: [
    {
      name: 'sign-in',
      path: 'console/sources',
      arrange: (page) => page.getByRole('link', { name: 'Continue with Mock SAML' }).waitFor()
    },
    {
      name: 'sign-in-refused',
      path: 'console/sources',
      async arrange (page) {
        await page.getByLabel('Email').fill('admin@example.com')
        await page.getByLabel('Password', { exact: true }).fill('a wrong password')
        await page.getByRole('button', { name: 'Sign in', exact: true }).click()
        await page.getByRole('alert').waitFor()
      }
    },
    {
      name: 'reset',
      path: 'console/account',
      arrange: (page) => page.getByRole('heading', { name: 'Forgot your password?' }).waitFor()
    }
  ]
}))
