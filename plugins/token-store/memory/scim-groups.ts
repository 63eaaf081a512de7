import { randomUUID } from 'node:crypto'

import { CONFLICT } from '../../../lib/errors.js'
import type {
  ChangedScimGroup, ScimCondition, ScimGroup, ScimGroupChange, ScimGroupField, ScimGroupMember, ScimGroupName,
  ScimPage, ScimQuery
} from '../../../contracts/token-store/index.js'
import { noOrganisation, overQuota } from '../limits.js'
import { groupNameTaken, unknownGroupMember } from '../scim-fields.js'
import { matchesText, pageOf } from './scim-lists.js'

interface GroupRecord extends ScimGroup {
  members: Set<string>
}

interface Surroundings {
  now: () => number
  isOrganisation: (orgId: string) => boolean
  /** Returns the user name of a provisioned user. */
  userNameOf: (orgId: string, userId: string) => string | undefined
}

/** The groups of directories. */
export class MemoryScimGroups {
  readonly #around: Surroundings
  /** In the order of creation. */
  readonly #groups = new Map<string, GroupRecord>()

  constructor (around: Surroundings) {
    this.#around = around
  }

  async createGroup (
    { orgId, displayName, externalId, members, quota }: {
      orgId: string
      displayName: string
      externalId: string | null
      members: readonly string[]
      quota?: number
    }
  ): Promise<ScimGroup> {
    if (!this.#around.isOrganisation(orgId)) throw noOrganisation()
    if (quota !== undefined && this.#ofOrg(orgId).length >= quota) throw overQuota('groups', quota)
    this.#assertNameIsFree(orgId, displayName)
    this.#assertUsers(orgId, members)
    const at = this.#around.now()
    const group: ScimGroup = { id: randomUUID(), orgId, displayName, externalId, createdAt: at, updatedAt: at }
    if (this.#groups.has(group.id)) throw new CONFLICT()
    this.#groups.set(group.id, { ...group, members: new Set(members) })
    return group
  }

  async getGroup (orgId: string, id: string): Promise<ScimGroup | null> {
    const record = this.#find(orgId, id)
    return record === undefined ? null : toGroup(record)
  }

  async listGroups (orgId: string, query: ScimQuery<ScimGroupField>): Promise<ScimPage<ScimGroup>> {
    return pageOf(this.#ofOrg(orgId), query, matches, toGroup)
  }

  async groupMembers (orgId: string, groupIds: readonly string[]): Promise<Map<string, ScimGroupMember[]>> {
    return new Map(groupIds.map((id) => {
      const members = Array.from(this.#find(orgId, id)?.members ?? [], (userId) => ({
        userId,
        userName: this.#around.userNameOf(orgId, userId) ?? ''
      }))
      return [id, members.sort((a, b) => a.userName.toLowerCase() < b.userName.toLowerCase() ? -1 : 1)]
    }))
  }

  async changeGroup (orgId: string, id: string, change: ScimGroupChange): Promise<ChangedScimGroup | null> {
    const record = this.#find(orgId, id)
    if (record === undefined) return null
    const { displayName = record.displayName, externalId = record.externalId, members = {} } = change
    const { replace = false, add = [], remove = [] } = members
    const isRenamed = displayName.toLowerCase() !== record.displayName.toLowerCase()
    if (isRenamed) this.#assertNameIsFree(orgId, displayName)
    this.#assertUsers(orgId, add)
    const left = (replace ? [...record.members].filter((userId) => !add.includes(userId)) : remove)
      .filter((userId) => record.members.delete(userId))
    for (const userId of add) record.members.add(userId)
    Object.assign(record, { displayName, externalId, updatedAt: this.#around.now() })
    const touched = new Set([...add, ...left, ...isRenamed ? record.members : []])
    return { group: toGroup(record), touched: [...touched] }
  }

  async deleteGroup (orgId: string, id: string): Promise<ChangedScimGroup | null> {
    const record = this.#find(orgId, id)
    if (record === undefined) return null
    this.#groups.delete(id)
    return { group: toGroup(record), touched: [...record.members] }
  }

  /** Returns the groups of a user, oldest first. */
  namesOf (orgId: string, userId: string): ScimGroupName[] {
    return this.#ofOrg(orgId).filter(({ members }) => members.has(userId))
      .map(({ id, displayName }) => ({ id, displayName }))
  }

  /** Removes a user from all groups of the organisation. */
  drop (orgId: string, userId: string): void {
    for (const { members } of this.#ofOrg(orgId)) members.delete(userId)
  }

  #find (orgId: string, id: string): GroupRecord | undefined {
    const record = this.#groups.get(id)
    return record?.orgId === orgId ? record : undefined
  }

  #ofOrg (orgId: string): GroupRecord[] {
    return Array.from(this.#groups.values()).filter((record) => record.orgId === orgId)
  }

  #assertNameIsFree (orgId: string, displayName: string): void {
    const key = displayName.toLowerCase()
    if (this.#ofOrg(orgId).some((other) => other.displayName.toLowerCase() === key)) throw groupNameTaken()
  }

  #assertUsers (orgId: string, userIds: readonly string[]): void {
    const isKnown = (userId: string) => this.#around.userNameOf(orgId, userId) !== undefined
    if (!userIds.every(isKnown)) throw unknownGroupMember()
  }
}

function matches ({ id, displayName, externalId, members }: GroupRecord, condition: ScimCondition<ScimGroupField>) {
  const { field } = condition
  if (field === 'member') return condition.operator === 'eq' && members.has(condition.value)
  return matchesText({ id, displayName, externalId }[field], condition, field !== 'displayName')
}

function toGroup ({ members: _members, ...group }: GroupRecord): ScimGroup {
  return group
}
