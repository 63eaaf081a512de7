import type { FastifyInstance, FastifyRequest } from 'fastify'

import { ACCOUNT_LOCKED, INVALID_CREDENTIALS } from '../../../lib/errors.js'
import { loginSubject } from '../../../plugins/token-store/login-subject.js'
import type { User } from '../../../contracts/token-store/index.js'

/** The user who proves a factor, and where failures are counted. */
export interface Attempt {
  request: FastifyRequest
  user: Pick<User, 'id' | 'orgId' | 'email'>
  /** The login's token, or the session that is confirmed. */
  by: { token: string } | { session: string }
}

/**
 * Counts the failed codes of an account. Codes of a session are counted separately, so that a stolen access token
 * cannot lock the account. `prove` checks the code; an attempt is counted before, so that concurrent guesses are all
 * counted.
 */
export type CountAttempt = <Proof>(attempt: Attempt, prove: () => Promise<Proof | null>) => Promise<Proof>

const MAX_PER_TOKEN = 5
const TOKEN_LOCK = 900_000

export function attemptCounter (scope: FastifyInstance, now: () => number): CountAttempt {
  const { users } = scope.tokenStore
  const { max, duration: lockFor, hidden } = scope.adminLogins.lockout

  return async function countAttempt (attempt, prove) {
    const { by, user: { id: userId, orgId, email: userEmail }, request } = attempt
    const account = 'token' in by ? `${loginSubject(userEmail)}.mfa` : `${loginSubject(userEmail)}.session.${by.session}.mfa`
    const audit = (action: string, changes: Record<string, unknown>) =>
      scope.audit({ action, request, orgId, userId, userEmail, changes, refusal: true })

    const token = 'token' in by ? `mfa token ${by.token}` : null
    if (token !== null) {
      const used = await users.countFailure(token, { max: MAX_PER_TOKEN, lockFor: TOKEN_LOCK })
      if (used.wasLocked) {
        audit('auth.mfa_failed', { reason: 'token_used_up' })
        throw new INVALID_CREDENTIALS({ message: 'The login has expired; log in again', reason: 'too many codes' })
      }
    }
    const { lockedUntil, wasLocked } = await users.countFailure(account, { max, lockFor })
    if (wasLocked) {
      audit('auth.mfa_failed', { reason: 'locked' })
      if (hidden) throw new INVALID_CREDENTIALS({ ...WRONG, reason: 'locked' })
      throw new ACCOUNT_LOCKED({
        retryAfterSeconds: Math.max(1, Math.ceil(((lockedUntil ?? now()) - now()) / 1000))
      })
    }
    const proof = await prove()
    if (proof === null) {
      audit('auth.mfa_failed', { reason: 'wrong' })
      if (lockedUntil !== null) audit('auth.locked', { until: new Date(lockedUntil).toISOString(), second_factor: true })
      throw new INVALID_CREDENTIALS({ ...WRONG, reason: 'the second factor is wrong' })
    }
    await users.unlock(account)
    // A token that was proved is not proved again, so its count is no longer needed.
    if (token !== null) await users.unlock(token)
    return proof
  }
}

const WRONG = { message: 'The code is wrong or was used before' }
