import type { Factors } from '../../../contracts/token-store/index.js'
import type { MfaMethod } from '../../../schemas/admin-auth.js'
import { recoveryDigest } from './recovery-codes.js'
import type { Totp } from './totp.js'

/** Uses up a code of the user's authenticator app or a recovery code. Returns which it was, or `null`. */
export type ProveCode = (userId: string, code: string) => Promise<Exclude<MfaMethod, 'passkey'> | null>

const TOTP_CODE = /^\d{3} ?\d{3}$/

export function codeProver (factors: Factors, totp: Totp, now: () => number): ProveCode {
  return async function proveCode (userId, typed) {
    const code = typed.trim()
    if (!TOTP_CODE.test(code)) {
      return await factors.takeRecoveryCode(userId, recoveryDigest(userId, code)) ? 'recovery_code' : null
    }
    const secret = await factors.totpSecret(userId)
    const step = secret === null ? null : await totp.stepOf(secret, code.replace(' ', ''), now())
    return step !== null && await factors.useTotpStep(userId, step) ? 'totp' : null
  }
}
