import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import type {
  AcceptingAccount, FoundInvitation, Invitation, InvitationLink, Invitations, Member, Page, PageRequest,
  Role
} from '../../../contracts/token-store/index.js'
import { alreadyMember, assertChangeable, emailTaken, mayGive, overQuota } from '../limits.js'
import type { MemoryMembers } from './members.js'
import { newestFirst } from './newest-first.js'
import type { MemoryOrganisations } from './organisations.js'
import type { MemoryUsers } from './users.js'

interface InvitationRecord extends Invitation {
  digest: string
  sequence: number
}

interface Surroundings {
  now: () => number
  organisations: MemoryOrganisations
  users: MemoryUsers
  members: MemoryMembers
}

/** Invitations in memory. An expired one is skipped until the next sweep. */
export class MemoryInvitations implements Invitations {
  readonly #around: Surroundings
  readonly #byId = new Map<string, InvitationRecord>()
  #sequence = 0

  constructor (around: Surroundings) {
    this.#around = around
  }

  async create (
    { orgId, email, role, ...link }: { orgId: string, email: string, role: Role } & InvitationLink,
    replaceable?: readonly Role[]
  ): Promise<Invitation> {
    const { now, organisations, users, members } = this.#around
    const lower = email.toLowerCase()
    if (organisations.nameOf(orgId) === null) throw new CONFLICT({ message: 'This organisation does not exist' })
    if (members.find(users.idOf(lower) ?? '', orgId) !== undefined) throw alreadyMember()
    const open = this.#openOf(orgId)
    const others = open.filter((other) => other.email !== lower)
    for (const replaced of open) if (replaced.email === lower) assertChangeable(replaced.role, replaceable)
    this.#assertRoom(orgId, members.countOf(orgId) + others.length)
    for (const [known, other] of this.#byId) {
      if (other.orgId === orgId && other.email === lower) this.#byId.delete(known)
    }
    const id = randomUUID()
    const sequence = ++this.#sequence
    const record = { id, orgId, email: lower, role, ...link, createdAt: now(), sequence }
    this.#byId.set(record.id, record)
    return toInvitation(record)
  }

  async get (orgId: string, id: string): Promise<Invitation | null> {
    const record = this.#open(orgId, id)
    return record === undefined ? null : toInvitation(record)
  }

  async list (orgId: string, page: PageRequest): Promise<Page<Invitation>> {
    const positioned = this.#openOf(orgId).map((record) => ({
      position: { timestamp: record.createdAt, sequence: record.sequence },
      item: record
    }))
    return newestFirst(positioned, page, toInvitation)
  }

  async renew (orgId: string, id: string, link: InvitationLink): Promise<Invitation | null> {
    const record = this.#open(orgId, id)
    return record === undefined ? null : toInvitation(Object.assign(record, link))
  }

  async delete (orgId: string, id: string): Promise<Invitation | null> {
    const record = this.#open(orgId, id)
    if (record === undefined) return null
    this.#byId.delete(id)
    return toInvitation(record)
  }

  async find (digest: string): Promise<FoundInvitation | null> {
    const record = this.#valid(digest)
    if (record === undefined) return null
    const { organisations, users } = this.#around
    return {
      invitation: toInvitation(record),
      orgName: organisations.nameOf(record.orgId) ?? record.orgId,
      userId: users.idOf(record.email)
    }
  }

  async accept (digest: string, account: AcceptingAccount): Promise<Member | null> {
    const record = this.#valid(digest)
    if (record === undefined) return null
    const { users, members } = this.#around
    const { id, orgId, email, role } = record
    const known = users.idOf(email)
    if ('userId' in account && known !== account.userId) return null
    if ('passwordHash' in account && known !== null) throw emailTaken()
    if (members.find(known ?? '', orgId) !== undefined) throw alreadyMember()
    this.#assertRoom(orgId, members.countOf(orgId))
    this.#byId.delete(id)
    if ('userId' in account) return await members.add({ orgId, userId: account.userId, role })
    const created = await users.create({ orgId, email, passwordHash: account.passwordHash, role })
    return await members.get(orgId, created.id)
  }

  sweep (): void {
    const now = this.#around.now()
    for (const [id, { expiresAt }] of this.#byId) if (expiresAt <= now) this.#byId.delete(id)
  }

  #assertRoom (orgId: string, used: number): void {
    const max = this.#around.organisations.maxUsersOf(orgId)
    if (max !== null && used >= max) throw overQuota('users', max)
  }

  #open (orgId: string, id: string): InvitationRecord | undefined {
    const record = this.#byId.get(id)
    return record?.orgId === orgId && record.expiresAt > this.#around.now() ? record : undefined
  }

  #openOf (orgId: string): InvitationRecord[] {
    return Array.from(this.#byId.values()).filter(({ id }) => this.#open(orgId, id) !== undefined)
  }

  #valid (digest: string): InvitationRecord | undefined {
    const { now, members } = this.#around
    for (const record of this.#byId.values()) {
      if (record.digest !== digest || record.expiresAt <= now()) continue
      const sender = members.find(record.invitedBy, record.orgId)
      return sender?.disabled === false && mayGive(sender.role, record.role) ? record : undefined
    }
    return undefined
  }
}

function toInvitation ({ digest: _digest, sequence: _sequence, ...invitation }: InvitationRecord): Invitation {
  return invitation
}
