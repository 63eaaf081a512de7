import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import type { CountedFailure, Role, User, Users } from '../../../contracts/token-store/index.js'
import { MemoryLoginFailures } from './login-failures.js'

export class MemoryUsers implements Users {
  readonly #now: () => number
  readonly #users = new Map<string, User>()
  readonly #byEmail = new Map<string, User>()
  readonly #failures: MemoryLoginFailures
  readonly #endSessions: (userId: string, except?: string) => void

  constructor (now: () => number, endSessions: (userId: string, except?: string) => void) {
    this.#now = now
    this.#failures = new MemoryLoginFailures(now)
    this.#endSessions = endSessions
  }

  async create (
    { orgId, email, passwordHash, role }: { orgId: string, email: string, passwordHash: string, role: Role }
  ): Promise<User> {
    const lower = email.toLowerCase()
    if (this.#byEmail.has(lower)) throw new CONFLICT({ message: 'This email is taken' })
    const user: User = {
      id: randomUUID(),
      orgId,
      email: lower,
      passwordHash,
      role,
      disabled: false,
      epoch: 0,
      createdAt: this.#now()
    }
    this.#users.set(user.id, user)
    this.#byEmail.set(lower, user)
    return { ...user }
  }

  async get (id: string): Promise<User | null> {
    return copyOrNull(this.#users.get(id))
  }

  async findByEmail (email: string): Promise<User | null> {
    return copyOrNull(this.#byEmail.get(email.toLowerCase()))
  }

  async update (id: string, patch: { role?: Role, disabled?: boolean, passwordHash?: string }): Promise<User | null> {
    const user = this.#users.get(id)
    if (user === undefined) return null
    const isNewlyDisabled = patch.disabled === true && !user.disabled
    user.role = patch.role ?? user.role
    user.disabled = patch.disabled ?? user.disabled
    user.passwordHash = patch.passwordHash ?? user.passwordHash
    if (isNewlyDisabled) this.revoke(id)
    return { ...user }
  }

  async replacePassword (
    id: string,
    { from, to, endSessionsBut }: { from: string, to: string, endSessionsBut?: string }
  ): Promise<boolean> {
    const user = this.#users.get(id)
    if (user?.passwordHash !== from) return false
    user.passwordHash = to
    if (endSessionsBut !== undefined) this.#endSessions(id, endSessionsBut)
    return true
  }

  async count (): Promise<number> {
    return this.#users.size
  }

  async lockedUntil (subject: string): Promise<number | null> {
    return this.#failures.lockedUntil(subject)
  }

  async countFailure (subject: string, limits: { max: number, lockFor: number }): Promise<CountedFailure> {
    return this.#failures.count(subject, limits)
  }

  async clearFailures (subject: string): Promise<number | null> {
    return this.#failures.clear(subject)
  }

  async unlock (subject: string): Promise<void> {
    this.#failures.unlock(subject)
  }

  /** Returns the stored user, not a copy, for `MemorySessions`. */
  peek (id: string): Readonly<User> | undefined {
    return this.#users.get(id)
  }

  /** Revokes every token of the user. */
  revoke (id: string): void {
    const user = this.#users.get(id)
    if (user !== undefined) user.epoch++
    this.#endSessions(id)
  }

  sweep (): void {
    this.#failures.sweep()
  }
}

function copyOrNull (user: User | undefined): User | null {
  return user === undefined ? null : { ...user }
}
