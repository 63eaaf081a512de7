export type LoginOutcome = 'succeeded' | 'challenged' | 'failed' | 'locked'

/** How an administrator logged in. `second_factor`: a factor was refused, in a login or to confirm a session. */
export type LoginMethod = 'password' | 'passkey' | 'oidc' | 'saml' | 'second_factor'

type Changes = Readonly<Record<string, unknown>> | undefined

/** The credential that a revocation ends, by its audit action. */
export const REVOCATIONS: Readonly<Record<string, string>> = {
  'embed.revoked': 'embed',
  'auth.logout': 'session',
  'auth.logout_all': 'session',
  'auth.logout_others': 'session',
  'auth.password_changed': 'session',
  'auth.password_reset': 'session',
  'auth.refresh_reused': 'session',
  'key.revoked': 'api_key',
  'key.rotated': 'api_key',
  'source.key_rotated': 'pipeline_key',
  'source.key_deleted': 'pipeline_key',
  'source.deleted': 'pipeline_key',
  'source.secret_rotated': 'secret',
  'webhook.secret_rotated': 'secret',
  'webhook.deleted': 'secret',
  'sso.provider_secret_rotated': 'secret',
  'user.disabled': 'user',
  'user.deleted': 'user',
  'user.identity_unlinked': 'identity',
  'sso.provider_deleted': 'identity',
  'auth.mfa_removed': 'second_factor',
  'user.invitation_withdrawn': 'invitation'
}

/** The outcome of a login by its audit action. */
export const LOGINS: Readonly<Record<string, LoginOutcome>> = {
  'auth.login': 'succeeded',
  'auth.sso_login': 'succeeded',
  'auth.mfa_challenged': 'challenged',
  'auth.login_failed': 'failed',
  'auth.sso_failed': 'failed',
  'auth.mfa_failed': 'failed'
}

/** All outcomes with the methods that may have them. */
export const LOGIN_SERIES: Readonly<Record<LoginOutcome, readonly LoginMethod[]>> = {
  succeeded: ['password', 'passkey', 'oidc', 'saml'],
  challenged: ['password', 'oidc', 'saml'],
  failed: ['password', 'passkey', 'oidc', 'saml', 'second_factor'],
  locked: ['password', 'second_factor']
}

/** Returns the outcome of a login; `undefined` for an action that is no login. */
export function loginOutcome (action: string, changes: Changes): LoginOutcome | undefined {
  const outcome = LOGINS[action]
  return outcome === 'failed' && changes?.['reason'] === 'locked' ? 'locked' : outcome
}

/** Returns the method of a login, which the details of its audit entry name unless it was a password. */
export function loginMethod (action: string, changes: Changes): LoginMethod {
  if (action === 'auth.mfa_failed') return 'second_factor'
  const kind = changes?.['provider_kind']
  if (kind === 'oidc' || kind === 'saml') return kind
  return changes?.['first_factor'] === 'passkey' ? 'passkey' : 'password'
}
