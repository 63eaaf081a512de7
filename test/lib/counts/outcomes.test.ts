import t from 'tap'

import { loginOutcome, refusedOutcome } from '../../../lib/counts/outcomes.js'

t.test('a refusal is counted by the codes of the suite, and every other code is one outcome', async (t) => {
  t.equal(refusedOutcome('ORIGIN_NOT_ALLOWED'), 'refused:ORIGIN_NOT_ALLOWED')
  for (const code of ['MADE_UP', '', 'toString', 'GatehouseError', '401']) {
    t.equal(refusedOutcome(code), 'refused:other', code)
  }
})

t.test('a login is counted by its method, and other actions are no logins', async (t) => {
  const cases: ReadonlyArray<[string, Record<string, unknown> | undefined, string | null]> = [
    ['auth.login', undefined, 'login:password'],
    ['auth.login', { first_factor: 'passkey' }, 'login:passkey'],
    ['auth.login', { first_factor: 'made up' }, 'login:password'],
    ['auth.sso_login', { provider_kind: 'oidc' }, 'login:oidc'],
    ['auth.sso_login', { provider_kind: 'saml', provider: 'made up' }, 'login:saml'],
    ['auth.sso_login', { provider_kind: 'made up' }, 'login:sso'],
    ['auth.login_failed', { reason: 'wrong password' }, 'login_failed'],
    ['auth.login_failed', { reason: 'locked' }, 'login_locked'],
    ['auth.mfa_failed', {}, 'mfa_failed'],
    ['source.created', {}, null],
    ['constructor', {}, null]
  ]
  for (const [action, changes, outcome] of cases) t.equal(loginOutcome(action, changes), outcome, action)
})
