/** A cached guest token. */
export interface GuestToken {
  token: string
  /** The client that the token belongs to; `invalidate` selects tokens by it. */
  clientId: string
  /** When the request for the token was sent, epoch milliseconds. */
  mintedAt: number
  /** Until when the cache may return the token, epoch milliseconds; earlier than the token's own expiry. */
  expiresAt: number
}

/** The cache of guest tokens. The key is a digest of every input that affects the token. */
export interface GuestTokens {
  /**
   * Returns the entry; `null` if there is none, it has expired, or its client was invalidated since. Synchronous if the
   * store knows the answer without I/O.
   */
  get (key: string): GuestToken | null | Promise<GuestToken | null>
  /** Stores the entry, unless its client was invalidated at or after `mintedAt`. */
  set (key: string, entry: GuestToken): Promise<void>
  /** Removes the tokens of one client. Tokens that are being created at the time are not stored either. */
  invalidate (client: { clientId: string }): Promise<void>
}
