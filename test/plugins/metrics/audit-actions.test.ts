import { readdir, readFile } from 'node:fs/promises'

import t from 'tap'

import { LOGINS, LOGIN_SERIES, REVOCATIONS, loginMethod, loginOutcome } from '../../../plugins/metrics/audit-actions.js'
import { ROOT } from '../../helpers/docs-pages.js'

/** Actions of administrators that are neither a login nor a revocation, and what else counts them. */
const NEITHER = [
  // A session or a setting that is changed, created or read.
  'auth.email_change_requested', 'auth.email_changed', 'auth.locked', 'auth.mfa_enrolled', 'auth.mfa_recovery_replaced',
  'auth.mfa_recovery_used', 'auth.mfa_verified', 'auth.password_reset_requested', 'auth.switched', 'embed.revocation_lifted',
  'events.exported', 'group.created', 'group.deleted', 'group.updated', 'key.created', 'key.expiring',
  'key.updated',
  'organisation.updated', 'scim.updated', 'source.created', 'source.key_created', 'source.key_updated',
  'source.updated', 'sso.domain_added', 'sso.domain_removed', 'sso.domain_updated', 'sso.domain_verified', 'sso.provider_created', 'sso.provider_updated', 'user.identity_linked',
  'user.invitation_resent', 'user.invited', 'user.joined', 'user.provisioned', 'user.updated', 'webhook.created',
  'webhook.updated',
  // gatehouse_refreshes_total
  'auth.session_expired',
  // gatehouse_refusals_total and gatehouse_guard_decisions_total
  'auth.token_refused',
  // gatehouse_mints_total
  'embed.authorized', 'embed.refused'
]
const ACTION = /'((?:auth|embed|events|group|key|organisation|scim|source|sso|user|webhook)\.[a-z_]+)'/g

async function actions (): Promise<string[]> {
  const found = new Set<string>()
  for (const folder of ['routes/admin/', 'plugins/admin-guard/', 'lib/']) {
    for (const path of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (!path.endsWith('.ts')) continue
      const text = await readFile(new URL(folder + path, ROOT), 'utf8')
      for (const [, action = ''] of text.matchAll(ACTION)) found.add(action)
    }
  }
  return [...found].sort()
}

t.test('every action in the audit log of administrators is a login, a revocation, or listed as neither', async (t) => {
  const found = await actions()
  t.ok(found.length > 50, `${found.length} actions`)
  t.same(found, [...new Set([...Object.keys(LOGINS), ...Object.keys(REVOCATIONS), ...NEITHER])].sort())
})

t.test('no details of an entry give a login an outcome or a method without a series', async (t) => {
  const details = [undefined, {}, { reason: 'locked' }, { reason: 'x' }, { provider_kind: 'oidc' }, { provider_kind: 'saml' },
    { provider_kind: 'x' }, { first_factor: 'passkey' }, { first_factor: 'x' }]
  for (const action of Object.keys(LOGINS)) {
    for (const changes of details) {
      const outcome = loginOutcome(action, changes)
      t.ok(outcome !== undefined && outcome in LOGIN_SERIES)
      t.ok(Object.values(LOGIN_SERIES).flat().includes(loginMethod(action, changes)))
    }
  }
  t.equal(loginOutcome('auth.logout', {}), undefined)
})
