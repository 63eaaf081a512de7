import { sha256Hex } from '../../signing/digest.js'

/**
 * Returns the subject under which the failed logins of an administrator are counted. Failures of a known device or
 * session use subjects that start with it and a dot.
 *
 * @example
 * await app.tokenStore.users.unlock(loginSubject('ann@example.com'))
 */
export function loginSubject (email: string): string {
  return sha256Hex(email.toLowerCase())
}
