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
  /** Number of consecutive failures that lock an account. Default: 5. */
  max?: number
  /** Duration of a lock, in milliseconds, 1 000 to 86 400 000 in steps of 1 000. Default: 900 000 (15 minutes). */
  duration?: number
  /** Responds for a locked account as for a wrong password. Default: `false`. */
  hidden?: boolean
  /**
   * Sets a signed cookie at each login, and counts the failures of a browser with that cookie separately, so that the
   * failures of other clients do not lock out the user. Default: `true`.
   */
  knownDevices?: boolean
}

export interface PasswordCheckSettings {
  passwords: Passwords
  lockout: Required<LockoutOptions>
  now: () => number
}

/** The request and the user for the audit trail. A known user's entry belongs to the organisation of the user. */
type Attempt = Pick<AuditRecord, 'request' | 'orgId' | 'userId' | 'userEmail' | 'resourceType' | 'resourceId'>

/**
 * Returns the user of an email if the password is right; else throws `INVALID_CREDENTIALS` or `ACCOUNT_LOCKED`.
 * `knownBy` returns the name of another proof in the request, such as a known device, or `null`. Failures under such a
 * name are counted separately and lock only that name. With `orgId` the user is returned as a member of that
 * organisation, and a user who is no member of it is refused as for a wrong password.
 */
export type PasswordCheck = (
  request: FastifyRequest,
  email: string,
  password: string,
  knownBy: (user: User) => string | null,
  orgId?: string
) => Promise<User>

const KNOWN: KnownOptions<LockoutOptions> = { max: true, duration: true, hidden: true, knownDevices: true }
const AUDITED_DIGEST_LENGTH = 16

export function lockoutOf (option: LockoutOptions | 'hidden' | undefined): Required<LockoutOptions> {
  refuseUnknownMembers('adminAuth', 'lockout.', option, KNOWN, { for: 'duration' })
  const { max = 5, duration = 900_000, hidden = false, knownDevices = true } = option === 'hidden'
    ? { hidden: true }
    : option ?? {}
  assertWholeNumber('admin-auth', 'lockout.max', max, { max: 100 })
  assertWholeSeconds('admin-auth', 'lockout.duration', duration, 1_000, 86_400_000)
  if (typeof hidden !== 'boolean') throw new INVALID_OPTIONS('admin-auth: "lockout.hidden" must be a boolean')
  if (typeof knownDevices !== 'boolean') {
    throw new INVALID_OPTIONS('admin-auth: "lockout.knownDevices" must be a boolean')
  }
  return { max, duration, hidden, knownDevices }
}

function reasonOf (account: User | null, member: User | null): string {
  if (account !== null && member === null) return 'not_a_member'
  return member?.disabled === true ? 'disabled' : 'password'
}

/** Creates the password check, which locks after too many failures. Unknown emails are treated like known emails. */
export function passwordCheck (
  app: FastifyInstance,
  { passwords, lockout, now }: PasswordCheckSettings
): PasswordCheck {
  const { users } = app.tokenStore
  const limits = { max: lockout.max, lockFor: lockout.duration }
  const [emailKey] = app.adminTokens.keysFor('emails')

  return async function checkPassword (request, email, password, knownBy, orgId) {
    const address = email.toLowerCase()
    // Failures are counted for the account, whatever organisation a login names: otherwise a wrong organisation would
    // tell known from unknown emails. Both look-ups run for unknown emails too.
    const account = await users.findByEmail(address)
    const member = orgId === undefined ? account : await users.findByEmail(address, orgId)
    // Users type passwords into the email field, so an unknown email is stored only as a keyed digest.
    const digest = hmacSha256(emailKey, address, 'hex')
    const known = account === null ? null : knownBy(account)
    const owner = account === null ? digest : loginSubject(address)
    const subject = known === null ? owner : `${owner}.${known}`
    const record: Attempt = account === null
      ? {
          request,
          userId: null,
          userEmail: null,
          resourceType: 'email_digest',
          resourceId: digest.slice(0, AUDITED_DIGEST_LENGTH)
        }
      : { request, orgId: (member ?? account).orgId, userId: account.id, userEmail: address }
    const lockedUntil = await users.lockedUntil(subject)
    // If the lock is hidden, a locked account must take as long as another account.
    if (lockedUntil !== null && !lockout.hidden) throw locked(record, lockedUntil)
    const matches = await passwords.verify(account?.passwordHash ?? null, password)
    // Concurrent guesses all passed the check above. The store decides for each of them whether it came before the
    // lock.
    if (member === null || !matches || member.disabled || lockedUntil !== null) {
      throw await failed(record, subject, reasonOf(account, member))
    }
    const lockedSince = await users.clearFailures(subject)
    if (lockedSince !== null) throw locked(record, lockedSince)
    await rehashIfNeeded(member, password)
    return member
  }

  async function failed (record: Attempt, subject: string, reason: string) {
    const { lockedUntil, wasLocked } = await users.countFailure(subject, limits)
    if (wasLocked) return locked(record, lockedUntil ?? now())
    app.audit({ ...record, action: 'auth.login_failed', changes: { reason }, refusal: true })
    if (lockedUntil !== null) {
      app.audit({
        ...record,
        action: 'auth.locked',
        changes: { until: new Date(lockedUntil).toISOString() },
        refusal: true
      })
    }
    return new INVALID_CREDENTIALS({ reason })
  }

  function locked (record: Attempt, until: number) {
    app.audit({ ...record, action: 'auth.login_failed', changes: { reason: 'locked' }, refusal: true })
    return lockout.hidden
      ? new INVALID_CREDENTIALS({ reason: 'locked' })
      : new ACCOUNT_LOCKED({ retryAfterSeconds: Math.max(1, Math.ceil((until - now()) / 1000)) })
  }

  /** Rehashes the password if the hash parameters have increased, unless the password has changed in the meantime. */
  async function rehashIfNeeded (user: User, password: string): Promise<void> {
    if (!passwords.needsRehash(user.passwordHash)) return
    const passwordHash = await passwords.hash(password)
    if (await users.replacePassword(user.id, { from: user.passwordHash, to: passwordHash })) {
      user.passwordHash = passwordHash
    }
  }
}
