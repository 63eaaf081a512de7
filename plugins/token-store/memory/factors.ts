import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import type { Factors, NewPasskey, Passkey, UserFactors } from '../../../contracts/token-store/index.js'
import { lastFactor, MAX_PASSKEYS, tooManyPasskeys } from '../limits.js'

interface Surroundings {
  now: () => number
  isUser: (userId: string) => boolean
  /** Whether an organisation of the user requires a second factor. */
  isRequired: (userId: string) => boolean
  /** Unsets `mfaAt` of the user's sessions that identity providers started. */
  forgetProviderFactor: (userId: string) => void
}

interface FactorRecord {
  totp: { secret: string, confirmedAt: number, lastStep: number } | null
  proposed: string | null
  recoveryDigests: Set<string>
}

/** Second factors in memory. */
export class MemoryFactors implements Factors {
  readonly #around: Surroundings
  readonly #records = new Map<string, FactorRecord>()
  /** By credential id, in the order of creation. */
  readonly #passkeys = new Map<string, Passkey>()

  constructor (around: Surroundings) {
    this.#around = around
  }

  async get (userId: string): Promise<UserFactors> {
    const record = this.#records.get(userId)
    return {
      totp: record?.totp == null ? null : { confirmedAt: record.totp.confirmedAt },
      passkeys: this.#passkeysOf(userId).map(copy),
      recoveryCodes: record?.recoveryDigests.size ?? 0
    }
  }

  async proposeTotp (userId: string, secret: string): Promise<boolean> {
    if (!this.#around.isUser(userId)) return false
    this.#recordOf(userId).proposed = secret
    return true
  }

  async proposedTotp (userId: string): Promise<string | null> {
    return this.#records.get(userId)?.proposed ?? null
  }

  async confirmTotp (
    userId: string,
    { secret, step, recoveryDigests }: { secret: string, step: number, recoveryDigests: readonly string[] }
  ): Promise<{ first: boolean } | null> {
    const record = this.#records.get(userId)
    if (record === undefined || record.proposed !== secret) return null
    const first = this.#addRecoveryCodes(userId, recoveryDigests)
    record.totp = { secret, confirmedAt: this.#around.now(), lastStep: step }
    record.proposed = null
    return { first }
  }

  async totpSecret (userId: string): Promise<string | null> {
    return this.#records.get(userId)?.totp?.secret ?? null
  }

  async useTotpStep (userId: string, step: number): Promise<boolean> {
    const totp = this.#records.get(userId)?.totp ?? null
    if (totp === null || step <= totp.lastStep) return false
    totp.lastStep = step
    return true
  }

  async removeTotp (userId: string): Promise<boolean> {
    const record = this.#records.get(userId)
    if (record === undefined || (record.totp === null && record.proposed === null)) return false
    if (record.totp !== null) this.#removeOne(userId)
    record.totp = null
    record.proposed = null
    return true
  }

  async addPasskey (
    passkey: NewPasskey,
    recoveryDigests: readonly string[]
  ): Promise<{ passkey: Passkey, first: boolean } | null> {
    const { userId, credentialId, publicKey, counter, transports, name } = passkey
    if (!this.#around.isUser(userId)) return null
    if (this.#passkeys.has(credentialId)) throw new CONFLICT({ message: 'This passkey is registered already' })
    if (this.#passkeysOf(userId).length >= MAX_PASSKEYS) throw tooManyPasskeys()
    const first = this.#addRecoveryCodes(userId, recoveryDigests)
    const stored: Passkey = {
      id: randomUUID(),
      userId,
      credentialId,
      publicKey,
      counter,
      transports: [...transports],
      name,
      createdAt: this.#around.now(),
      lastUsedAt: null
    }
    this.#passkeys.set(credentialId, stored)
    return { passkey: copy(stored), first }
  }

  async findPasskey (credentialId: string): Promise<Passkey | null> {
    const passkey = this.#passkeys.get(credentialId)
    return passkey === undefined ? null : copy(passkey)
  }

  async usePasskey (credentialId: string, counter: number): Promise<boolean> {
    const passkey = this.#passkeys.get(credentialId)
    if (passkey === undefined || (counter <= passkey.counter && (counter !== 0 || passkey.counter !== 0))) return false
    passkey.counter = counter
    passkey.lastUsedAt = this.#around.now()
    return true
  }

  async removePasskey (userId: string, id: string): Promise<Passkey | null> {
    const passkey = this.#passkeysOf(userId).find((own) => own.id === id)
    if (passkey === undefined) return null
    this.#removeOne(userId)
    this.#passkeys.delete(passkey.credentialId)
    return copy(passkey)
  }

  async replaceRecoveryCodes (userId: string, digests: readonly string[]): Promise<boolean> {
    if (!this.has(userId)) return false
    this.#recordOf(userId).recoveryDigests = new Set(digests)
    return true
  }

  async takeRecoveryCode (userId: string, digest: string): Promise<boolean> {
    return this.#records.get(userId)?.recoveryDigests.delete(digest) ?? false
  }

  async removeAll (userId: string): Promise<boolean> {
    const had = this.has(userId)
    this.delete(userId)
    return had
  }

  /** Whether the user has a factor. */
  has (userId: string): boolean {
    return this.#count(userId) > 0
  }

  /** Deletes the factors of a user. */
  delete (userId: string): void {
    this.#records.delete(userId)
    for (const { credentialId } of this.#passkeysOf(userId)) this.#passkeys.delete(credentialId)
  }

  #recordOf (userId: string): FactorRecord {
    const record = this.#records.get(userId) ?? { totp: null, proposed: null, recoveryDigests: new Set<string>() }
    this.#records.set(userId, record)
    return record
  }

  #passkeysOf (userId: string): Passkey[] {
    return Array.from(this.#passkeys.values()).filter((passkey) => passkey.userId === userId)
  }

  #count (userId: string): number {
    return this.#passkeysOf(userId).length + (this.#records.get(userId)?.totp == null ? 0 : 1)
  }

  /** Before a factor is added: stores recovery codes if it is the first, and returns whether it is. */
  #addRecoveryCodes (userId: string, digests: readonly string[]): boolean {
    const first = !this.has(userId)
    if (!first) return false
    this.#recordOf(userId).recoveryDigests = new Set(digests)
    this.#around.forgetProviderFactor(userId)
    return true
  }

  /** Checks that one factor may be removed, and deletes the recovery codes with the last. */
  #removeOne (userId: string): void {
    if (this.#count(userId) > 1) return
    if (this.#around.isRequired(userId)) throw lastFactor()
    this.#records.get(userId)?.recoveryDigests.clear()
  }
}

function copy (passkey: Passkey): Passkey {
  return { ...passkey, transports: [...passkey.transports] }
}
