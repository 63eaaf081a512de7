import type {
  Scim, ScimCondition, ScimPage, ScimQuery, ScimSettings, ScimStanding, ScimUser, ScimUserField,
  ScimUserFields
} from '../../../contracts/token-store/index.js'
import { noOrganisation } from '../limits.js'
import { alreadyProvisioned, DEFAULT_SCIM_SETTINGS, searchKeysOf, userNameTaken } from '../scim-fields.js'
import type { MemberRecord } from './members.js'
import { MemoryScimGroups } from './scim-groups.js'
import { matchesText, pageOf } from './scim-lists.js'

type UserRecord = Omit<ScimUser, 'email' | 'role' | 'disabled'>

interface Surroundings {
  now: () => number
  isOrganisation: (orgId: string) => boolean
  findMember: (userId: string, orgId: string) => MemberRecord | undefined
  emailOf: (userId: string) => string | null
}

/** Provisioned users and groups in memory. */
export class MemoryScim extends MemoryScimGroups implements Scim {
  readonly #around: Surroundings
  readonly #settings = new Map<string, ScimSettings>()
  /** In the order of creation. */
  #users: UserRecord[] = []

  constructor (around: Surroundings) {
    super({
      now: around.now,
      isOrganisation: around.isOrganisation,
      userNameOf: (orgId, userId) => this.#find(orgId, userId)?.userName
    })
    this.#around = around
  }

  async settings (orgId: string): Promise<ScimSettings> {
    return structuredClone(this.#settings.get(orgId) ?? DEFAULT_SCIM_SETTINGS)
  }

  async updateSettings (orgId: string, patch: Partial<ScimSettings>): Promise<ScimSettings> {
    if (!this.#around.isOrganisation(orgId)) throw noOrganisation()
    const { groupRoles, defaultRole } = await this.settings(orgId)
    const settings = {
      groupRoles: structuredClone(patch.groupRoles ?? groupRoles),
      defaultRole: patch.defaultRole ?? defaultRole
    }
    this.#settings.set(orgId, settings)
    return structuredClone(settings)
  }

  async createUser (
    { orgId, userId, userName, externalId, attributes }: { orgId: string, userId: string } & ScimUserFields
  ): Promise<ScimUser> {
    this.#assertNameIsFree(orgId, userName)
    const isMember = this.#around.findMember(userId, orgId) !== undefined
    if (!isMember || this.#find(orgId, userId) !== undefined) throw alreadyProvisioned()
    const at = this.#around.now()
    const record: UserRecord = {
      orgId,
      userId,
      userName,
      externalId,
      attributes: structuredClone(attributes),
      version: 1,
      createdAt: at,
      updatedAt: at
    }
    this.#users.push(record)
    return this.#toUser(record)
  }

  async getUser (orgId: string, userId: string): Promise<ScimUser | null> {
    const record = this.#find(orgId, userId)
    return record === undefined ? null : this.#toUser(record)
  }

  async listUsers (orgId: string, query: ScimQuery<ScimUserField>): Promise<ScimPage<ScimUser>> {
    const users = this.#users.filter((record) => record.orgId === orgId).map((record) => this.#toUser(record))
    return pageOf(users, query, matches, (user) => user)
  }

  async updateUser (
    orgId: string,
    userId: string,
    { version, userName, externalId, attributes }: ScimUserFields & { version: number }
  ): Promise<ScimUser | 'stale' | null> {
    const record = this.#find(orgId, userId)
    if (record === undefined) return null
    if (record.version !== version) return 'stale'
    this.#assertNameIsFree(orgId, userName, record)
    Object.assign(record, {
      userName,
      externalId,
      attributes: structuredClone(attributes),
      version: version + 1,
      updatedAt: this.#around.now()
    })
    return this.#toUser(record)
  }

  async standings (orgId: string, userIds: readonly string[]): Promise<ScimStanding[]> {
    return [...new Set(userIds)].flatMap((userId) => {
      const member = this.#find(orgId, userId) && this.#around.findMember(userId, orgId)
      if (member === undefined) return []
      return [{ userId, role: member.role, disabled: member.disabled, groups: this.namesOf(orgId, userId) }]
    })
  }

  /** Removes a user who is no member of the organisation any more. */
  memberRemoved (orgId: string, userId: string): void {
    this.#users = this.#users.filter((record) => record.orgId !== orgId || record.userId !== userId)
    this.drop(orgId, userId)
  }

  #find (orgId: string, userId: string): UserRecord | undefined {
    return this.#users.find((record) => record.orgId === orgId && record.userId === userId)
  }

  #assertNameIsFree (orgId: string, userName: string, self?: UserRecord): void {
    const key = userName.toLowerCase()
    const isTaken = this.#users.some((other) =>
      other !== self && other.orgId === orgId && other.userName.toLowerCase() === key
    )
    if (isTaken) throw userNameTaken()
  }

  #toUser (record: UserRecord): ScimUser {
    const { role = 'viewer', disabled = true } = this.#around.findMember(record.userId, record.orgId) ?? {}
    return { ...structuredClone(record), email: this.#around.emailOf(record.userId) ?? '', role, disabled }
  }
}

function matches (user: ScimUser, condition: ScimCondition<ScimUserField>): boolean {
  const { field } = condition
  if (field === 'active') return condition.operator === 'pr' || condition.value === String(!user.disabled)
  const { userId: id, userName, externalId, email } = user
  const value = { id, userName, externalId, email, ...searchKeysOf(user.attributes) }[field]
  return matchesText(value, condition, field === 'id' || field === 'externalId')
}
