export interface GuestToken {
  token: string
  /** Whose token it is, for `invalidate`. */
  clientId: string
  /** When the mint began, epoch milliseconds. */
  mintedAt: number
  /** When the entry must no longer be handed out, epoch milliseconds: before the token's own end. */
  expiresAt: number
}

/** Guest tokens by the digest of everything that shapes them. */
export interface GuestTokens {
  /** The entry, unless it has expired or its client was invalidated since. */
  get (key: string): Promise<GuestToken | null>
  /** Keeps the entry, unless its client was invalidated at or after `mintedAt`. */
  set (key: string, entry: GuestToken): Promise<void>
  /** Forgets the tokens of one client, those being minted included. */
  invalidate (client: { clientId: string }): Promise<void>
}
