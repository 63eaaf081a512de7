import type { Page } from 'playwright-core'

import type { Console } from './console.js'

/** Opens a dialog by a button. */
export const openDialog = (button: string, dialog: string | RegExp) => async (page: Page) => {
  await page.getByRole('button', { name: button, exact: true }).first().click()
  await page.getByRole('dialog', { name: dialog }).waitFor()
}

/** Answers the requests of a route with an error, of a status that `watch` takes for a refusal. */
export const failing = (route: string) => (page: Page) => page.route(route, (request) => request.fulfill({
  status: 429,
  headers: { 'retry-after': '30' },
  json: { error: { code: 'RATE_LIMITED', message: 'Too many requests' } }
}))

/** Answers the requests of a route with an empty list. */
export const emptyList = (route: string) => (page: Page) =>
  page.route(route, (request) => request.fulfill({ json: { data: [], next_cursor: null, has_more: false } }))

/** Creates members with all roles, open invitations, and API keys in all states. Resolves with the id of an editor. */
export async function createTeam ({ app, store, ownerToken }: Console): Promise<string> {
  const people = [
    ['leo.martin', 'viewer'], ['mia.okafor', 'editor'], ['sam.lindqvist', 'admin'], ['zoe.haddad', 'owner'],
    ['ann.archer', 'editor']
  ] as const
  const ids: string[] = []
  for (const [name, role] of people) {
    const user = { orgId: 'default', email: `${name}@shop.example.com`, passwordHash: 'none', role }
    ids.push((await store.users.create(user)).id)
  }
  const [leo = '', , , , ann = ''] = ids
  await store.members.update('default', leo, { disabled: true })
  const { data: [provider] } = await store.identityProviders.list('default', { limit: 1 })
  if (provider !== undefined) {
    await store.identities.link({ orgId: 'default', userId: ann, providerId: provider.id, subject: '00u8ann4rcher' })
  }
  const headers = { authorization: `Bearer ${await ownerToken()}` }
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url: `/v1/admin/${url}`, headers, payload })
  await post('users/invite', { email: 'new.colleague@shop.example.com', role: 'editor' })
  await post('users/invite', { email: 'auditor@partner.example', role: 'viewer' })
  await post('keys', { name: 'Nightly export', role: 'viewer', permissions: ['events:read'] })
  await post('keys', { name: 'Terraform', role: 'admin', expires_in_days: 7 })
  const permissions = ['sources:read', 'sources:write', 'webhooks:read']
  await post('keys', { name: 'Deploy pipeline', role: 'editor', permissions, expires_in_days: 90 })
  return ann
}
