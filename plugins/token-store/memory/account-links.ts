import { sha256Hex } from '../../../signing/digest.js'
import type { AccountLinks, EmailChange, LinkedAccount } from '../../../contracts/token-store/index.js'
import type { MemoryUsers } from './users.js'

/** The account that a link was issued for. The link is no longer valid once the account differs. */
interface Issued {
  email: string
  passwordDigest: string
  expiresAt: number
}

interface Reset extends Issued {
  digest: string
}

interface PendingEmail extends Reset {
  newEmail: string
  newDigest: string
  /** The digests of the confirmed links. */
  confirmed: Set<string>
}

/** Links in memory, by user id. */
export class MemoryAccountLinks implements AccountLinks {
  readonly #now: () => number
  readonly #users: MemoryUsers
  readonly #resets = new Map<string, Reset>()
  readonly #emails = new Map<string, PendingEmail>()

  constructor (now: () => number, users: MemoryUsers) {
    this.#now = now
    this.#users = users
  }

  async startReset (
    { userId, digest, expiresAt }: { userId: string, digest: string, expiresAt: number }
  ): Promise<boolean> {
    const issued = this.#issue(userId, expiresAt)
    if (issued !== null) this.#resets.set(userId, { ...issued, digest })
    return issued !== null
  }

  async findReset (digest: string): Promise<LinkedAccount | null> {
    return this.#resetOf(digest)
  }

  async finishReset (digest: string, passwordHash: string): Promise<LinkedAccount | null> {
    const account = this.#resetOf(digest)
    if (account === null) return null
    this.#endAll(account.userId)
    this.#users.revoke(account.userId)
    await this.#users.setPassword(account.userId, passwordHash)
    return account
  }

  async startEmailChange (
    { userId, newEmail, digest, newDigest, expiresAt }:
    { userId: string, newEmail: string, digest: string, newDigest: string, expiresAt: number }
  ): Promise<boolean> {
    const issued = this.#issue(userId, expiresAt)
    if (issued === null) return false
    const change = { ...issued, digest, newDigest, newEmail: newEmail.toLowerCase(), confirmed: new Set<string>() }
    this.#emails.set(userId, change)
    return true
  }

  async confirmEmail (digest: string): Promise<EmailChange | null> {
    for (const [userId, change] of this.#emails) {
      const { digest: own, newDigest, email: from, newEmail: to, confirmed } = change
      if (![own, newDigest].includes(digest) || !this.#isValid(userId, change)) continue
      if (![own, newDigest].every((each) => each === digest || confirmed.has(each))) {
        confirmed.add(digest)
        return { outcome: 'waiting', userId, from, to }
      }
      this.#users.changeEmail(userId, to)
      this.#endAll(userId)
      return { outcome: 'changed', userId, from, to }
    }
    return null
  }

  sweep (): void {
    for (const links of [this.#resets, this.#emails] as Array<Map<string, Issued>>) {
      for (const [userId, link] of links) if (!this.#isValid(userId, link)) links.delete(userId)
    }
  }

  #resetOf (digest: string): LinkedAccount | null {
    for (const [userId, reset] of this.#resets) {
      if (reset.digest === digest && this.#isValid(userId, reset)) return { userId, email: reset.email }
    }
    return null
  }

  #issue (userId: string, expiresAt: number): Issued | null {
    const account = this.#users.peek(userId)
    if (account === undefined) return null
    return { email: account.email, passwordDigest: sha256Hex(account.passwordHash), expiresAt }
  }

  #isValid (userId: string, { email, passwordDigest, expiresAt }: Issued): boolean {
    const account = this.#users.peek(userId)
    return account?.email === email && sha256Hex(account.passwordHash) === passwordDigest && expiresAt > this.#now()
  }

  #endAll (userId: string): void {
    this.#resets.delete(userId)
    this.#emails.delete(userId)
  }
}
