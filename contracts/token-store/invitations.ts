import type { Page, PageRequest } from '../page.js'
import type { Member } from './members.js'
import type { Role } from './users.js'

/** An open invitation into an organisation: not accepted, deleted or expired. */
export interface Invitation {
  id: string
  orgId: string
  /** In lower case. */
  email: string
  role: Role
  /** Id of the user who sent it last. */
  invitedBy: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  expiresAt: number
}

/** The link of an invitation. */
export interface InvitationLink {
  invitedBy: string
  /** Hex SHA-256 of the link's token. The token itself is never stored. */
  digest: string
  /** Epoch milliseconds. */
  expiresAt: number
}

/** An invitation, as a person with its link reads it. */
export interface FoundInvitation {
  invitation: Invitation
  orgName: string
  /** Id of the user with that email; `null` if the email has no account. */
  userId: string | null
}

/** The account of a person who accepts: one that exists, or the password of a new one. */
export type AcceptingAccount = { userId: string } | { passwordHash: string }

/** The open invitations of organisations. */
export interface Invitations {
  /**
   * Creates an invitation. It replaces an open invitation of the same email into the organisation. Rejects with
   * `CONFLICT` if the email belongs to a member, if the members and the other open invitations have reached `maxUsers`
   * of the organisation, or if the organisation does not exist; with `FORBIDDEN`, and changes nothing, if it would
   * replace an invitation whose role is not in `replaceable`. Default: all roles.
   */
  create (
    invitation: { orgId: string, email: string, role: Role } & InvitationLink,
    replaceable?: readonly Role[]
  ): Promise<Invitation>
  get (orgId: string, id: string): Promise<Invitation | null>
  /** Lists the invitations of an organisation by `createdAt`, newest first. */
  list (orgId: string, page: PageRequest): Promise<Page<Invitation>>
  /** Replaces the link: the previous one is no longer valid. */
  renew (orgId: string, id: string, link: InvitationLink): Promise<Invitation | null>
  /** Resolves with the deleted invitation. */
  delete (orgId: string, id: string): Promise<Invitation | null>
  /**
   * Returns the invitation of a link; `null` also if its sender is no longer an enabled member with that role or a
   * higher one.
   */
  find (digest: string): Promise<FoundInvitation | null>
  /**
   * Makes the invited person a member, and creates the account if the email has none; the invitation ends. Exactly one
   * of N concurrent calls succeeds. Resolves with `null`, and changes nothing, where `find` does, or if `userId` is not
   * the account of the email. Rejects with `CONFLICT`, and changes nothing, if the person is a member already, if the
   * organisation has `maxUsers` members, or if the email of a new account is taken.
   */
  accept (digest: string, account: AcceptingAccount): Promise<Member | null>
}
