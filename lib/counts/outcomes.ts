import * as errors from '../errors.js'

const CODES = Object.keys(errors).filter((name) => /^[A-Z_]+$/.test(name))
const REFUSED: ReadonlyMap<string, string> = new Map(CODES.map((code) => [code, `refused:${code}`]))

/** The outcomes of logins by the action of their audit entry. */
const LOGINS: ReadonlyMap<string, string> = new Map([
  ['auth.login_failed', 'login_failed'],
  ['auth.sso_failed', 'sso_failed'],
  ['auth.mfa_challenged', 'mfa_challenged'],
  ['auth.mfa_failed', 'mfa_failed']
])

/** Returns the outcome of what was refused with an error code; a code of the host is `refused:other`. */
export function refusedOutcome (code: string): string {
  return REFUSED.get(code) ?? 'refused:other'
}

/** Returns the outcome of a login that the audit log records; `null` for an action that is no login. */
export function loginOutcome (action: string, changes: Readonly<Record<string, unknown>> | undefined): string | null {
  if (action === 'auth.login') return changes?.['first_factor'] === 'passkey' ? 'login:passkey' : 'login:password'
  if (action === 'auth.sso_login') {
    const kind = changes?.['provider_kind']
    return kind === 'oidc' || kind === 'saml' ? `login:${kind}` : 'login:sso'
  }
  if (action === 'auth.login_failed' && changes?.['reason'] === 'locked') return 'login_locked'
  return LOGINS.get(action) ?? null
}
