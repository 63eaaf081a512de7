import type { Role } from './users.js'

/** How the groups of a directory become roles in an organisation. */
export interface ScimSettings {
  /** Roles by the display name of a group, compared without case. The highest role of a user's groups applies. */
  groupRoles: ReadonlyArray<{ group: string, role: Role }>
  /** The role of a new user, and of a user who leaves the last group with a role. */
  defaultRole: Role
}

/** The name of a group of which a user is a member. */
export interface ScimGroupName {
  id: string
  displayName: string
}

/** A member of an organisation whom a directory provisions. Its id is the user's id. */
export interface ScimUser {
  orgId: string
  userId: string
  /** Unique in the organisation, compared without case. */
  userName: string
  /** The directory's id of the user; `null` if the directory did not send one. */
  externalId: string | null
  /** The other attributes as the directory sent them, JSON-serialisable. */
  attributes: Record<string, unknown>
  /** The email of the account. */
  email: string
  role: Role
  disabled: boolean
  /** Increases with each change of the names or attributes. */
  version: number
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  updatedAt: number
}

/** The properties of a provisioned user that the directory sets. */
export type ScimUserFields = Pick<ScimUser, 'userName' | 'externalId' | 'attributes'>

/** A group of a directory. */
export interface ScimGroup {
  id: string
  orgId: string
  /** Unique in the organisation, compared without case. */
  displayName: string
  externalId: string | null
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  updatedAt: number
}

/** A member of a group. */
export interface ScimGroupMember {
  userId: string
  userName: string
}

/** The role, state and groups of a provisioned user. */
export interface ScimStanding {
  userId: string
  role: Role
  disabled: boolean
  /** Oldest group first. */
  groups: ScimGroupName[]
}

/**
 * A condition of a filter. `eq` compares exactly `id`, `externalId` and `member`, and the other strings without case;
 * `co` (contains) and `sw` (starts with) compare without case; `pr` matches a value that is present.
 */
export type ScimCondition<Field extends string> =
  | { field: Field, operator: 'eq' | 'co' | 'sw', value: string }
  | { field: Field, operator: 'pr' }

/** The fields of users by which a list can be filtered. The names are those in `attributes`. */
export type ScimUserField =
  | 'id' | 'userName' | 'externalId' | 'email' | 'displayName' | 'givenName' | 'familyName'
  /** `'true'` or `'false'`. */
  | 'active'

/** The fields of groups by which a list can be filtered. `member` is the id of a user, only with `eq`. */
export type ScimGroupField = 'id' | 'displayName' | 'externalId' | 'member'

/** Selects one page of a list, oldest first. All conditions apply. */
export interface ScimQuery<Field extends string> {
  filter: ReadonlyArray<ScimCondition<Field>>
  /** Number of matching items before the page. */
  offset: number
  /** Maximum number of items, 0 to 200. */
  limit: number
}

/** One page of a list. */
export interface ScimPage<Item> {
  data: Item[]
  /** The number of all matching items. */
  total: number
}

/** A change of a group. A property that is left out stays the same. */
export interface ScimGroupChange {
  displayName?: string
  externalId?: string | null
  members?: {
    /** Removes all members first. Default: `false`. */
    replace?: boolean
    /** Ids of users. */
    add?: readonly string[]
    /** Ids of users; ids of other users are ignored. */
    remove?: readonly string[]
  }
}

/** A changed group. */
export interface ChangedScimGroup {
  group: ScimGroup
  /** The ids of all users in `add`, and of the users who left the group; with a new name also of all its members. */
  touched: string[]
}

/** The users and groups that a directory provisions. A user leaves them with the membership in the organisation. */
export interface Scim {
  /** Default: no roles by group, and the role viewer for new users. */
  settings (orgId: string): Promise<ScimSettings>
  /** Resolves with the settings after the change. Rejects with `CONFLICT` if the organisation does not exist. */
  updateSettings (orgId: string, patch: Partial<ScimSettings>): Promise<ScimSettings>
  /**
   * Adds a member of the organisation. Rejects with `CONFLICT` if the user name is taken, and if the user is
   * provisioned already or no member.
   */
  createUser (user: { orgId: string, userId: string } & ScimUserFields): Promise<ScimUser>
  getUser (orgId: string, userId: string): Promise<ScimUser | null>
  listUsers (orgId: string, query: ScimQuery<ScimUserField>): Promise<ScimPage<ScimUser>>
  /**
   * Replaces the fields of a user. Resolves with `'stale'`, and changes nothing, if `version` is not the user's current
   * version. Rejects with `CONFLICT` if the user name is taken.
   */
  updateUser (
    orgId: string,
    userId: string,
    change: ScimUserFields & { version: number }
  ): Promise<ScimUser | 'stale' | null>
  /** Returns the provisioned users among the ids, in no particular order. At most 10 000 ids. */
  standings (orgId: string, userIds: readonly string[]): Promise<ScimStanding[]>
  /**
   * Creates a group. Rejects with `CONFLICT` if the display name is taken, the organisation has `quota` groups or does
   * not exist; with `INVALID_REQUEST` if a member is no provisioned user of the organisation.
   */
  createGroup (
    group: { orgId: string, displayName: string, externalId: string | null, members: readonly string[], quota?: number }
  ): Promise<ScimGroup>
  getGroup (orgId: string, id: string): Promise<ScimGroup | null>
  listGroups (orgId: string, query: ScimQuery<ScimGroupField>): Promise<ScimPage<ScimGroup>>
  /** Returns the members of groups of the organisation by the id of the group, in the order of their user names. */
  groupMembers (orgId: string, groupIds: readonly string[]): Promise<Map<string, ScimGroupMember[]>>
  /** Changes a group in one atomic step. Rejects as `createGroup` does, and then changes nothing. */
  changeGroup (orgId: string, id: string, change: ScimGroupChange): Promise<ChangedScimGroup | null>
  /** Deletes a group. `touched` are its members. */
  deleteGroup (orgId: string, id: string): Promise<ChangedScimGroup | null>
}
