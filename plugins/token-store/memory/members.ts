import { CONFLICT } from '../../../lib/errors.js'
import type {
  Member, Members, Membership, Page, PageRequest, ProvisionedMember,
  Role
} from '../../../contracts/token-store/index.js'
import { assertChangeable, lastOwner, noOrganisation, overQuota } from '../limits.js'
import { newestFirst } from './newest-first.js'

/** A stored membership. */
export interface MemberRecord extends Omit<Member, 'email'> {
  sequence: number
}

interface Surroundings {
  now: () => number
  emailOf: (userId: string) => string | null
  orgNameOf: (orgId: string) => string | null
  /** Called when a user is disabled in an organisation, or no member any more. */
  endSessions: (userId: string, orgId: string) => void
  /** Returns the id of the account with an email, created without a password if there was none. */
  ensureUser: (email: string) => { id: string, created: boolean }
  maxUsersOf: (orgId: string) => number | null
  /** Called when a user is no member of the organisation any more. */
  memberRemoved: (userId: string, orgId: string) => void
  /** Called when a user lost the last membership. */
  deleteUser: (userId: string) => void
}

export class MemoryMembers implements Members {
  readonly #around: Surroundings
  readonly #byUser = new Map<string, MemberRecord[]>()
  #sequence = 0

  constructor (around: Surroundings) {
    this.#around = around
  }

  async add ({ orgId, userId, role }: { orgId: string, userId: string, role: Role }): Promise<Member> {
    const isUnknown = this.#around.emailOf(userId) === null || this.#around.orgNameOf(orgId) === null
    if (isUnknown || this.find(userId, orgId) !== undefined) throw new CONFLICT()
    return this.#toMember(this.insert({ orgId, userId, role }))
  }

  async provision (
    { orgId, email, role }: { orgId: string, email: string, role: Role }
  ): Promise<ProvisionedMember> {
    if (this.#around.orgNameOf(orgId) === null) throw noOrganisation()
    const { id, created } = this.#around.ensureUser(email)
    const present = this.find(id, orgId)
    if (present !== undefined) return { member: this.#toMember(present), created: null }
    const max = this.#around.maxUsersOf(orgId)
    if (max !== null && this.countOf(orgId) >= max) {
      if (created) this.#around.deleteUser(id)
      throw overQuota('users', max)
    }
    const member = this.#toMember(this.insert({ orgId, userId: id, role }))
    return { member, created: created ? 'account' : 'membership' }
  }

  async get (orgId: string, userId: string): Promise<Member | null> {
    const record = this.find(userId, orgId)
    return record === undefined ? null : this.#toMember(record)
  }

  async list (orgId: string, page: PageRequest): Promise<Page<Member>> {
    const positioned = this.#ofOrg(orgId).map((record) => ({
      position: { timestamp: record.createdAt, sequence: record.sequence },
      item: record
    }))
    return newestFirst(positioned, page, (record) => this.#toMember(record))
  }

  async ofUser (userId: string): Promise<Membership[]> {
    return (this.#byUser.get(userId) ?? []).map(({ orgId, role, disabled }) => ({
      orgId,
      orgName: this.#around.orgNameOf(orgId) ?? orgId,
      role,
      disabled
    }))
  }

  async update (
    orgId: string,
    userId: string,
    patch: { role?: Role, disabled?: boolean },
    changeable?: readonly Role[]
  ): Promise<Member | null> {
    const record = this.find(userId, orgId)
    if (record === undefined) return null
    assertChangeable(record.role, changeable)
    const { role = record.role, disabled = record.disabled } = patch
    if (role !== 'owner' || disabled) this.#assertOtherOwner(record)
    const isNewlyDisabled = disabled && !record.disabled
    Object.assign(record, { role, disabled })
    if (isNewlyDisabled) this.#around.endSessions(userId, orgId)
    return this.#toMember(record)
  }

  async remove (orgId: string, userId: string, changeable?: readonly Role[]): Promise<Member | null> {
    const record = this.find(userId, orgId)
    if (record === undefined) return null
    assertChangeable(record.role, changeable)
    this.#assertOtherOwner(record)
    const removed = this.#toMember(record)
    const rest = (this.#byUser.get(userId) ?? []).filter((other) => other !== record)
    this.#byUser.set(userId, rest)
    this.#around.endSessions(userId, orgId)
    this.#around.memberRemoved(userId, orgId)
    if (rest.length === 0) {
      this.#byUser.delete(userId)
      this.#around.deleteUser(userId)
    }
    return removed
  }

  insert ({ orgId, userId, role }: { orgId: string, userId: string, role: Role }): MemberRecord {
    const createdAt = this.#around.now()
    const record = { orgId, userId, role, disabled: false, createdAt, lastLoginAt: null, sequence: ++this.#sequence }
    this.#byUser.set(userId, [...this.#byUser.get(userId) ?? [], record])
    return record
  }

  /** Returns the stored membership in one organisation. Default: the membership that a login uses. */
  find (userId: string, orgId?: string): MemberRecord | undefined {
    const records = this.#byUser.get(userId) ?? []
    if (orgId !== undefined) return records.find((record) => record.orgId === orgId)
    return records.toSorted((a, b) =>
      Number(a.disabled) - Number(b.disabled) || (b.lastLoginAt ?? -1) - (a.lastLoginAt ?? -1) ||
      a.sequence - b.sequence
    )[0]
  }

  /** Returns the number of members of an organisation. */
  countOf (orgId: string): number {
    return this.#ofOrg(orgId).length
  }

  /** Returns the ids of the organisations of a user. */
  organisationsOf (userId: string): string[] {
    return (this.#byUser.get(userId) ?? []).map(({ orgId }) => orgId)
  }

  #ofOrg (orgId: string): MemberRecord[] {
    return Array.from(this.#byUser.values()).flat().filter((record) => record.orgId === orgId)
  }

  #assertOtherOwner ({ orgId, userId, role, disabled }: MemberRecord): void {
    if (role !== 'owner' || disabled) return
    const hasOther = this.#ofOrg(orgId).some((other) =>
      other.userId !== userId && other.role === 'owner' && !other.disabled
    )
    if (!hasOther) throw lastOwner()
  }

  #toMember ({ orgId, userId, role, disabled, createdAt, lastLoginAt }: MemberRecord): Member {
    return { orgId, userId, email: this.#around.emailOf(userId) ?? '', role, disabled, createdAt, lastLoginAt }
  }
}
