import t from 'tap'

import { playScenes } from '../../../helpers/scenes.js'

t.test('the page of user provisioning', (t) => playScenes(t, {
  async prepare ({ app, ownerToken }) {
    const authorization = `Bearer ${await ownerToken()}`
    const send = async (method: 'POST' | 'PATCH', url: string, payload: object) => {
      const reply = await app.inject({ method, url: `/v1/admin/${url}`, headers: { authorization }, payload })
      if (reply.statusCode >= 300) throw new Error(`${url}: ${reply.body}`)
      return reply.json()
    }
    const permissions = ['scim:manage']
    await send('POST', 'keys', { name: 'Nightly import', role: 'admin' })
    await send('POST', 'keys', { name: 'Okta (former)', role: 'admin', permissions, expires_in_days: 12 })
    const { key } = await send('POST', 'keys', { name: 'Okta', role: 'admin', permissions, expires_in_days: 365 })
    await app.inject({ url: '/scim/v2/Users', headers: { authorization: `Bearer ${key}` } })
    await send('PATCH', 'scim', {
      default_role: 'viewer',
      group_roles: [{ group: 'IT', role: 'admin' }, { group: 'Data team', role: 'editor' }]
    })
    return undefined
  },
  scenes: [
    {
      name: 'scim',
      path: 'console/scim',
      arrange: (page) => page.getByText('Nightly import').waitFor()
    },
    {
      name: 'scim-empty',
      path: 'console/scim',
      intercept: async (page) => {
        await page.route('**/v1/admin/keys?*', (route) =>
          route.fulfill({ json: { data: [], next_cursor: null, has_more: false } }))
        await page.route('**/v1/admin/scim', (route) =>
          route.fulfill({ json: { default_role: 'viewer', group_roles: [], base_path: '/scim/v2' } }))
      },
      arrange: (page) => page.getByText('No directory is connected').waitFor()
    },
    {
      name: 'scim-error',
      path: 'console/scim',
      unpictured: true,
      intercept: (page) => page.route('**/v1/admin/scim', (route) => route.fulfill({
        status: 503, json: { error: { code: 'STORE_UNAVAILABLE', message: 'The database does not respond.' } }
      })),
      arrange: (page) => page.getByRole('alert').waitFor()
    },
    {
      name: 'scim-new-token',
      path: 'console/scim',
      async arrange (page) {
        await page.getByRole('button', { name: 'New token' }).click()
        await page.getByLabel('Highest role').waitFor()
      }
    },
    {
      name: 'scim-roles',
      path: 'console/scim',
      async arrange (page) {
        await page.getByRole('button', { name: 'Change the roles…' }).click()
        await page.getByLabel('Group 2').waitFor()
      }
    },
    {
      name: 'scim-stop',
      path: 'console/scim',
      async arrange (page) {
        await page.getByRole('button', { name: 'Stop provisioning…' }).click()
        await page.getByText('keep their access here').waitFor()
      }
    }
  ]
}))
