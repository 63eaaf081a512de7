import { randomUUID } from 'node:crypto'

import { NO_PASSWORD } from '../../../contracts/token-store/index.js'
import type { CountedFailure, Role, User, Users } from '../../../contracts/token-store/index.js'
import { emailTaken } from '../limits.js'
import { MemoryLoginFailures } from './login-failures.js'
import type { MemberRecord } from './members.js'

interface Account {
  id: string
  email: string
  passwordHash: string
  epoch: number
  createdAt: number
}

interface Surroundings {
  now: () => number
  addMember: (member: { orgId: string, userId: string, role: Role }) => MemberRecord
  findMember: (userId: string, orgId?: string) => MemberRecord | undefined
  endSessions: (userId: string, except?: string) => void
}

export class MemoryUsers implements Users {
  readonly #around: Surroundings
  readonly #accounts = new Map<string, Account>()
  readonly #byEmail = new Map<string, Account>()
  readonly #failures: MemoryLoginFailures

  constructor (around: Surroundings) {
    this.#around = around
    this.#failures = new MemoryLoginFailures(around.now)
  }

  async create (
    { orgId, email, passwordHash, role }: { orgId: string, email: string, passwordHash: string, role: Role }
  ): Promise<User> {
    const lower = email.toLowerCase()
    if (this.#byEmail.has(lower)) throw emailTaken()
    const account = this.#add(lower, passwordHash)
    return toUser(account, this.#around.addMember({ orgId, userId: account.id, role }))
  }

  async get (id: string, orgId?: string): Promise<User | null> {
    return this.#withMember(this.#accounts.get(id), orgId)
  }

  async findByEmail (email: string, orgId?: string): Promise<User | null> {
    return this.#withMember(this.#byEmail.get(email.toLowerCase()), orgId)
  }

  async setPassword (id: string, passwordHash: string): Promise<boolean> {
    const account = this.#accounts.get(id)
    if (account === undefined) return false
    account.passwordHash = passwordHash
    return true
  }

  async replacePassword (
    id: string,
    { from, to, endSessionsBut }: { from: string, to: string, endSessionsBut?: string }
  ): Promise<boolean> {
    const account = this.#accounts.get(id)
    if (account?.passwordHash !== from) return false
    account.passwordHash = to
    if (endSessionsBut !== undefined) this.#around.endSessions(id, endSessionsBut)
    return true
  }

  async replaceEmail (id: string, { from, to }: { from: string, to: string }): Promise<boolean> {
    if (this.#accounts.get(id)?.email !== from.toLowerCase()) return false
    this.changeEmail(id, to.toLowerCase())
    return true
  }

  async count (): Promise<number> {
    return this.#accounts.size
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

  /** Returns the stored account, not a copy. */
  peek (id: string): Readonly<Account> | undefined {
    return this.#accounts.get(id)
  }

  /** Returns the id of the user with an email in lower case. */
  idOf (email: string): string | null {
    return this.#byEmail.get(email)?.id ?? null
  }

  /** Returns the id of the account with an email, created without a password if there was none. */
  ensure (email: string): { id: string, created: boolean } {
    const lower = email.toLowerCase()
    const known = this.idOf(lower)
    return known === null ? { id: this.#add(lower, NO_PASSWORD).id, created: true } : { id: known, created: false }
  }

  /** Throws `CONFLICT` if another user has the email. */
  changeEmail (id: string, email: string): void {
    const account = this.#accounts.get(id)
    if (account === undefined || account.email === email) return
    if (this.#byEmail.has(email)) throw emailTaken()
    this.#byEmail.delete(account.email)
    account.email = email
    this.#byEmail.set(email, account)
  }

  /** Revokes every token of the user. */
  revoke (id: string): void {
    const account = this.#accounts.get(id)
    if (account !== undefined) account.epoch++
    this.#around.endSessions(id)
  }

  delete (id: string): void {
    const account = this.#accounts.get(id)
    if (account === undefined) return
    this.#accounts.delete(id)
    this.#byEmail.delete(account.email)
  }

  sweep (): void {
    this.#failures.sweep()
  }

  #add (email: string, passwordHash: string): Account {
    const account = { id: randomUUID(), email, passwordHash, epoch: 0, createdAt: this.#around.now() }
    this.#accounts.set(account.id, account)
    this.#byEmail.set(email, account)
    return account
  }

  #withMember (account: Account | undefined, orgId: string | undefined): User | null {
    const member = account === undefined ? undefined : this.#around.findMember(account.id, orgId)
    return account === undefined || member === undefined ? null : toUser(account, member)
  }
}

function toUser (account: Account, { orgId, role, disabled }: MemberRecord): User {
  const { id, email, passwordHash, epoch, createdAt } = account
  return { id, orgId, email, passwordHash, role, disabled, epoch, createdAt }
}
