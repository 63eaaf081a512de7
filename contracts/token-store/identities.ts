/** A user's account at an identity provider. */
export interface Identity {
  providerId: string
  /** The provider's id of the user: the claim `sub`, or the NameID. */
  subject: string
  /** The organisation of the provider. */
  orgId: string
  userId: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  lastLoginAt: number
}

/** The accounts of users at identity providers. An identity is deleted with its user or its provider. */
export interface Identities {
  find (providerId: string, subject: string): Promise<Identity | null>
  /**
   * Links a subject to a user and sets `lastLoginAt`. Rejects with `CONFLICT`, and changes nothing, if the subject is
   * linked to another user, the user is linked to another subject of the provider, or the user does not exist: a
   * provider may give the email of a former person to another one.
   */
  link (identity: { providerId: string, subject: string, orgId: string, userId: string }): Promise<Identity>
  /** Lists the identities of a user at the providers of an organisation, oldest first. */
  ofUser (orgId: string, userId: string): Promise<Identity[]>
  /** Deletes an identity and ends the sessions that it started. Resolves with `false` if there is none. */
  unlink (orgId: string, userId: string, providerId: string): Promise<boolean>
}
