import type { Identities, Identity } from '../../../contracts/token-store/index.js'
import { identityTaken } from '../limits.js'

interface Surroundings {
  now: () => number
  isUser: (userId: string) => boolean
  /** Called when an identity of the user is deleted. */
  endSessions: (userId: string, providerId: string) => void
}

export class MemoryIdentities implements Identities {
  readonly #around: Surroundings
  /** In the order of creation. */
  #identities: Identity[] = []

  constructor (around: Surroundings) {
    this.#around = around
  }

  async find (providerId: string, subject: string): Promise<Identity | null> {
    const identity = this.#find(providerId, subject)
    return identity === undefined ? null : { ...identity }
  }

  async link (
    { providerId, subject, orgId, userId }: { providerId: string, subject: string, orgId: string, userId: string }
  ): Promise<Identity> {
    const known = this.#find(providerId, subject)
    const isOther = known !== undefined && known.userId !== userId
    const hasOther = this.#identities.some((other) =>
      other.userId === userId && other.providerId === providerId && other.subject !== subject
    )
    if (isOther || hasOther || !this.#around.isUser(userId)) throw identityTaken()
    const at = this.#around.now()
    const identity = known ?? { providerId, subject, orgId, userId, createdAt: at, lastLoginAt: at }
    if (known === undefined) this.#identities.push(identity)
    identity.lastLoginAt = at
    return { ...identity }
  }

  async ofUser (orgId: string, userId: string): Promise<Identity[]> {
    return this.#identities.filter((identity) => identity.orgId === orgId && identity.userId === userId)
      .map((identity) => ({ ...identity }))
  }

  async unlink (orgId: string, userId: string, providerId: string): Promise<boolean> {
    const identity = this.#identities.find((each) =>
      each.orgId === orgId && each.userId === userId && each.providerId === providerId
    )
    if (identity === undefined) return false
    this.drop((each) => each === identity)
    this.#around.endSessions(userId, providerId)
    return true
  }

  /** Removes the identities that a condition selects. */
  drop (condition: (identity: Identity) => boolean): void {
    this.#identities = this.#identities.filter((identity) => !condition(identity))
  }

  #find (providerId: string, subject: string): Identity | undefined {
    return this.#identities.find((each) => each.providerId === providerId && each.subject === subject)
  }
}
