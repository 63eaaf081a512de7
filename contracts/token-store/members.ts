import type { Page, PageRequest } from '../page.js'
import type { Role } from './users.js'

/** The membership of a user in one organisation. A user has one membership or more. */
export interface Member {
  orgId: string
  userId: string
  email: string
  role: Role
  disabled: boolean
  /** Epoch milliseconds. */
  createdAt: number
  /** When the user's last session in the organisation started, epoch milliseconds; `null` if none did. */
  lastLoginAt: number | null
}

/** One organisation of a user. */
export interface Membership {
  orgId: string
  orgName: string
  role: Role
  disabled: boolean
}

/** The result of `provision`. */
export interface ProvisionedMember {
  member: Member
  /** The records that the call created: the account and its membership, the membership alone, or none (`null`). */
  created: 'account' | 'membership' | null
}

/** The members of organisations. */
export interface Members {
  /**
   * Adds an existing user to an existing organisation. Rejects with `CONFLICT` if the user is a member already, or if
   * the user or the organisation does not exist.
   */
  add (member: { orgId: string, userId: string, role: Role }): Promise<Member>
  /**
   * Returns the member with an email; creates the account without a password, and the membership, where they do not
   * exist, in one atomic step. An existing member is returned unchanged, also a disabled one. Rejects with `CONFLICT`,
   * and stores nothing, if the organisation does not exist or has `maxUsers` members.
   */
  provision (member: { orgId: string, email: string, role: Role }): Promise<ProvisionedMember>
  get (orgId: string, userId: string): Promise<Member | null>
  /** Lists the members of an organisation by `createdAt`, newest first. */
  list (orgId: string, page: PageRequest): Promise<Page<Member>>
  /** Lists the organisations of a user, oldest membership first. */
  ofUser (userId: string): Promise<Membership[]>
  /**
   * Changes a member. A new role or `disabled` takes effect within a second on every instance; disabling ends the
   * user's sessions in the organisation. Rejects with `CONFLICT`, and changes nothing, if the organisation would have
   * no enabled owner; with `FORBIDDEN`, and changes nothing, if the member's role is not in `changeable`. Default: all
   * roles.
   */
  update (
    orgId: string,
    userId: string,
    patch: { role?: Role, disabled?: boolean },
    changeable?: readonly Role[]
  ): Promise<Member | null>
  /**
   * Removes a member and ends the user's sessions in the organisation. The last membership takes the user with it.
   * Resolves with the removed member. Rejects as `update` does.
   */
  remove (orgId: string, userId: string, changeable?: readonly Role[]): Promise<Member | null>
}
