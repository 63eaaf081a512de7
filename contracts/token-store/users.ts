import type { Role } from '../../schemas/admin-auth.js'

export { ROLES } from '../../schemas/admin-auth.js'
export type { Role } from '../../schemas/admin-auth.js'

export interface User {
  id: string
  orgId: string
  /** Lower case. */
  email: string
  passwordHash: string
  role: Role
  disabled: boolean
  /** The generation of the user's tokens; raising it ends all that were issued before. */
  epoch: number
  createdAt: number
}

export interface CountedFailure {
  /** Until when the account is locked now, epoch milliseconds, or `null`. */
  lockedUntil: number | null
  /** Whether it was locked before this failure: of guesses sent side by side only the others may be told that they were wrong. */
  wasLocked: boolean
}

export interface Users {
  /** Rejects with `CONFLICT` if the email is taken. */
  create (user: { orgId: string, email: string, passwordHash: string, role: Role }): Promise<User>
  get (id: string): Promise<User | null>
  findByEmail (email: string): Promise<User | null>
  /** A changed role or `disabled` acts within a second on every instance. */
  update (id: string, patch: { role?: Role, disabled?: boolean, passwordHash?: string }): Promise<User | null>
  /**
   * Puts the hash `to` in the place of `from`; false, and nothing is changed, if `from` is not the user's any more. With
   * `endSessionsBut` it ends the user's sessions other than that one in the same step.
   */
  replacePassword (id: string, change: { from: string, to: string, endSessionsBut?: string }): Promise<boolean>
  count (): Promise<number>
  /**
   * Until when the account is locked (epoch milliseconds), or `null`; never from a cache. `subject`: a digest of the email, so that unknown ones
   * lock alike, or one and a dot and more, for attempts that have a count of their own.
   */
  lockedUntil (subject: string): Promise<number | null>
  /** Counts a failure, in one atomic step; at `max` consecutive ones locks for `lockFor` milliseconds. A lock that holds is not made longer. */
  countFailure (subject: string, limits: { max: number, lockFor: number }): Promise<CountedFailure>
  /** Forgets the failures, unless the account is locked by now: then says until when. */
  clearFailures (subject: string): Promise<number | null>
  /** Forgets the failures and the locks of a subject, and of all subjects that begin with it and a dot. */
  unlock (subject: string): Promise<void>
}
