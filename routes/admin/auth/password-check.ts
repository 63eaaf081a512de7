import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { AuditRecord } from '../../../plugins/audit-log/index.js'
import { ACCOUNT_LOCKED, INVALID_CREDENTIALS, INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, assertWholeSeconds, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { Passwords } from '../../../lib/passwords/index.js'
import { loginSubject } from '../../../plugins/token-store/login-subject.js'
import type { User } from '../../../contracts/token-store/index.js'
import { hmacSha256 } from '../../../signing/digest.js'

export interface LockoutOptions {
  /** Consecutive failures that lock an account. Default: 5. */
  max?: number
  /** How long an account stays locked, milliseconds, whole seconds up to 86 400 000. Default: 900 000 (15 min). */
  duration?: number
  /** Answer a locked account like a wrong password. Default: `false`. */
  hidden?: boolean
  /**
   * Set a signed cookie at each login, and count the failures of a browser that has it apart: strangers can't lock it out. Default: `true`.
   */
  knownDevices?: boolean
}

export interface PasswordCheckSettings {
  passwords: Passwords
  lockout: Required<LockoutOptions>
  now: () => number
}

/** Who tried, for the audit trail; what befalls a user belongs to the user's own organisation. */
type Attempt = Pick<AuditRecord, 'request' | 'orgId' | 'userId' | 'userEmail' | 'resourceType' | 'resourceId'>

/**
 * The user of that email, if the password is right; else throws `INVALID_CREDENTIALS` or `ACCOUNT_LOCKED`. `knownBy` gives a name to what a
 * caller of that user has proved beside the password, such as a device: under it failures are counted apart, and lock it alone.
 */
export type PasswordCheck = (request: FastifyRequest, email: string, password: string, knownBy: (user: User) => string | null) => Promise<User>

const KNOWN: KnownOptions<LockoutOptions> = { max: true, duration: true, hidden: true, knownDevices: true }
const DIGEST_SHOWN = 16

export function lockoutOf (option: LockoutOptions | 'hidden' | undefined): Required<LockoutOptions> {
  refuseUnknownMembers('adminAuth', 'lockout.', option, KNOWN, { for: 'duration' })
  const { max = 5, duration = 900_000, hidden = false, knownDevices = true } = option === 'hidden' ? { hidden: true } : option ?? {}
  assertWholeNumber('admin-auth', 'lockout.max', max, { max: 100 })
  assertWholeSeconds('admin-auth', 'lockout.duration', duration, 1_000, 86_400_000)
  if (typeof hidden !== 'boolean') throw new INVALID_OPTIONS('admin-auth: "lockout.hidden" must be a boolean')
  if (typeof knownDevices !== 'boolean') throw new INVALID_OPTIONS('admin-auth: "lockout.knownDevices" must be a boolean')
  return { max, duration, hidden, knownDevices }
}

/** Checks passwords and locks what fails too often; an email that nobody has is treated like one that somebody has. */
export function passwordCheck (app: FastifyInstance, { passwords, lockout, now }: PasswordCheckSettings): PasswordCheck {
  const { users } = app.tokenStore
  const limits = { max: lockout.max, lockFor: lockout.duration }
  const [emailKey] = app.adminTokens.keysFor('emails')

  return async function checkPassword (request, email, password, knownBy) {
    const address = email.toLowerCase()
    const user = await users.findByEmail(address)
    // What is no email of a user may be a password, so that nothing is kept from which it could be guessed.
    const digest = hmacSha256(emailKey, address, 'hex')
    const known = user === null ? null : knownBy(user)
    const account = user === null ? digest : loginSubject(address)
    const subject = known === null ? account : `${account}.${known}`
    const record: Attempt = user === null
      ? { request, userId: null, userEmail: null, resourceType: 'email_digest', resourceId: digest.slice(0, DIGEST_SHOWN) }
      : { request, orgId: user.orgId, userId: user.id, userEmail: address }
    const lockedUntil = await users.lockedUntil(subject)
    // A locked account that answers sooner than another would not be hidden.
    if (lockedUntil !== null && !lockout.hidden) throw locked(record, lockedUntil)
    const matches = await passwords.verify(user?.passwordHash ?? null, password)
    // Guesses sent side by side were all let in above. The store says of each, right or wrong, whether it came before the lock.
    if (user === null || !matches || user.disabled || lockedUntil !== null) {
      throw await failed(record, subject, user?.disabled === true ? 'disabled' : 'password')
    }
    const lockedMeanwhile = await users.clearFailures(subject)
    if (lockedMeanwhile !== null) throw locked(record, lockedMeanwhile)
    await strengthen(user, password)
    return user
  }

  async function failed (record: Attempt, subject: string, reason: string) {
    const { lockedUntil, wasLocked } = await users.countFailure(subject, limits)
    if (wasLocked) return locked(record, lockedUntil ?? now())
    app.audit({ ...record, action: 'auth.login_failed', changes: { reason }, refusal: true })
    if (lockedUntil !== null) app.audit({ ...record, action: 'auth.locked', changes: { until: new Date(lockedUntil).toISOString() }, refusal: true })
    return new INVALID_CREDENTIALS()
  }

  function locked (record: Attempt, until: number) {
    app.audit({ ...record, action: 'auth.login_failed', changes: { reason: 'locked' }, refusal: true })
    return lockout.hidden ? new INVALID_CREDENTIALS({ reason: 'locked' }) : new ACCOUNT_LOCKED({ retryAfterSeconds: Math.max(1, Math.ceil((until - now()) / 1000)) })
  }

  /** Hashes the password anew when the parameters have risen, unless it has been changed meanwhile. */
  async function strengthen (user: User, password: string): Promise<void> {
    if (!passwords.needsRehash(user.passwordHash)) return
    const passwordHash = await passwords.hash(password)
    if (await users.replacePassword(user.id, { from: user.passwordHash, to: passwordHash })) user.passwordHash = passwordHash
  }
}
