import type { Role } from '../../schemas/admin-auth.js'

export { ROLES } from '../../schemas/admin-auth.js'
export type { Role } from '../../schemas/admin-auth.js'

/** The `passwordHash` of an account without a password: no password matches it. */
export const NO_PASSWORD = '!'

/** An administrator, as a member of one organisation. */
export interface User {
  id: string
  /** The organisation that `role` and `disabled` apply to. */
  orgId: string
  /** In lower case. */
  email: string
  passwordHash: string
  role: Role
  disabled: boolean
  /** The generation of the user's tokens. Incrementing it ends all tokens issued before. */
  epoch: number
  /** Epoch milliseconds. */
  createdAt: number
}

/** The state of an account after a failed login. */
export interface CountedFailure {
  /** Until when the account is locked, epoch milliseconds; `null` if it is not. */
  lockedUntil: number | null
  /** Whether the account was already locked. If so, the caller must not reveal that the credentials were wrong. */
  wasLocked: boolean
}

/** The administrators and their login failures. */
export interface Users {
  /**
   * Creates a user as a member of an organisation; creates the organisation if it does not exist. Rejects with
   * `CONFLICT` if the email is taken: add a user who exists with `members.add`.
   */
  create (user: { orgId: string, email: string, passwordHash: string, role: Role }): Promise<User>
  /**
   * Returns a user as a member of the organisation; `null` if the user is no member of it. Default: of the enabled
   * memberships that with the latest login, else the oldest membership.
   */
  get (id: string, orgId?: string): Promise<User | null>
  /** Returns the user with an email, in any case, like `get`. */
  findByEmail (email: string, orgId?: string): Promise<User | null>
  /** Sets the password hash. Resolves with `false` if the user does not exist. */
  setPassword (id: string, passwordHash: string): Promise<boolean>
  /**
   * Replaces the password hash `from` by `to`. Resolves with `false`, and changes nothing, if `from` is no longer the
   * user's hash. With `endSessionsBut` it also ends all other sessions of the user, in the same atomic step.
   */
  replacePassword (id: string, change: { from: string, to: string, endSessionsBut?: string }): Promise<boolean>
  /**
   * Replaces the email `from` by `to` and ends the user's mailed links. Resolves with `false`, and changes nothing, if
   * `from` is not the user's email. Rejects with `CONFLICT` if another user has the email `to`.
   */
  replaceEmail (id: string, change: { from: string, to: string }): Promise<boolean>
  /** Returns the number of users. */
  count (): Promise<number>
  /**
   * Resolves with the time until which the account is locked, epoch milliseconds, or `null`. Never cached. `subject` is
   * a digest of the email, so that unknown emails lock as well; `digest.suffix` counts separately.
   */
  lockedUntil (subject: string): Promise<number | null>
  /**
   * Counts a failed login in one atomic step. After `max` consecutive failures the account locks for `lockFor`
   * milliseconds; further failures do not extend the lock.
   */
  countFailure (subject: string, limits: { max: number, lockFor: number }): Promise<CountedFailure>
  /** Clears the failures, unless the account is locked: then resolves with the end of the lock, epoch milliseconds. */
  clearFailures (subject: string): Promise<number | null>
  /** Clears the failures and locks of a subject, and of all subjects that start with it and a dot. */
  unlock (subject: string): Promise<void>
}
