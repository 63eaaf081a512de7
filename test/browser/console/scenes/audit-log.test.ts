import t from 'tap'

import { seedAudit, seedEmbeds } from '../../../helpers/console-embeds.js'
import { playScenes } from '../../../helpers/scenes.js'

t.test('the page of the audit log', (t) => playScenes(t, {
  prepare: async ({ store, first }) => {
    await seedEmbeds(store)
    const owner = await store.users.findByEmail(first.email)
    const { data: [source] } = await store.sources.list('default', { limit: 1 })
    const by = { userId: owner?.id ?? null, userEmail: first.email, ipAddress: '192.0.2.14' }
    const shop = { resourceType: 'source', resourceId: source?.id ?? null }
    await seedAudit(store, [
      { ago: 12, action: 'source.key_rotated', ...by, ...shop, changes: { overlap_seconds: 86_400 } },
      { ago: 14, action: 'source.updated', ...by, ...shop, changes: { domains: { from: [], to: ['shop.example.com'] } } },
      { ago: 30, action: 'user.invited', ...by, resourceType: 'invitation', resourceId: 'i-1', changes: { email: 'dana@example.com', role: 'editor' } },
      { ago: 44, action: 'auth.login_failed', userEmail: 'eve@example.com', ipAddress: '198.51.100.7', changes: { reason: 'unknown', repeats: 4 } },
      { ago: 1_700, action: 'embed.revoked', ...by, resourceType: 'revocation', resourceId: 'r-1', changes: { kind: 'user', subject: 'mallory@example.com', before: '2026-12-01T12:00:00.000Z' } },
      { ago: 1_900, action: 'key.created', ...by, resourceType: 'key', resourceId: 'k-1', changes: { name: 'Nightly export', role: 'viewer' } },
      { ago: 4_400, action: 'plan.changed', ...by, changes: { plan: 'pro' } }
    ])
    return undefined
  },
  scenes: [
    {
      name: 'audit-log',
      path: 'console/audit-log',
      arrange: (page) => page.getByText('rotated the pipeline key').waitFor()
    },
    {
      name: 'audit-log-entry',
      path: 'console/audit-log?action=source.updated',
      arrange: async (page) => {
        await page.getByRole('link', { name: 'Details of source.updated' }).click()
        await page.getByRole('dialog').waitFor()
      }
    },
    {
      name: 'audit-log-nothing',
      path: 'console/audit-log?action=scim.updated',
      arrange: (page) => page.getByText('No entry matches').waitFor()
    },
    {
      name: 'audit-log-error',
      path: 'console/audit-log',
      intercept: (page) => page.route('**/v1/admin/audit-logs?*', (route) => route.fulfill({
        status: 429, json: { error: { code: 'RATE_LIMITED', message: 'Too many requests. Try again later.' } }
      })),
      arrange: (page) => page.getByRole('alert').waitFor(),
      unpictured: true
    }
  ]
}))
