import { sha256Hex } from '../../signing/digest.js'

/**
 * The subject under which the failed logins of an administrator are counted; the failures of a known device or a session have the subjects
 * that begin with it and a dot.
 *
 * @example
 * await app.tokenStore.users.unlock(loginSubject('ann@example.com'))
 */
export function loginSubject (email: string): string {
  return sha256Hex(email.toLowerCase())
}
