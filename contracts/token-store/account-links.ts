/** The account of a link. */
export interface LinkedAccount {
  userId: string
  email: string
}

/** A change of email, after one of its two links was confirmed. */
export interface EmailChange {
  outcome: 'waiting' | 'changed'
  userId: string
  from: string
  to: string
}

/**
 * Links that are mailed to users. Tokens are stored as hex SHA-256 digests. A user has one link per kind: a new link
 * replaces it. A link is no longer valid after the user's password or email has changed.
 */
export interface AccountLinks {
  /** Starts a reset of the password; resolves with `false`, and stores nothing, if the user does not exist. */
  startReset (link: { userId: string, digest: string, expiresAt: number }): Promise<boolean>
  findReset (digest: string): Promise<LinkedAccount | null>
  /**
   * Sets the password, ends all sessions as `sessions.endAll` does, and ends all links of the user, in one atomic step:
   * exactly one of N concurrent calls succeeds. Resolves with `null`, and changes nothing, if the link is not valid.
   */
  finishReset (digest: string, passwordHash: string): Promise<LinkedAccount | null>
  /**
   * Starts a change of email with one link for the present address and one for the new address. Resolves with `false`,
   * and stores nothing, if the user does not exist.
   */
  startEmailChange (
    change: { userId: string, newEmail: string, digest: string, newDigest: string, expiresAt: number }
  ): Promise<boolean>
  /**
   * Confirms one link. With the second one the email changes, and all links of the user end, in one atomic step.
   * Resolves with `null` if the link is not valid. Rejects with `CONFLICT`, and changes nothing, if another user has
   * the new email.
   */
  confirmEmail (digest: string): Promise<EmailChange | null>
}
