/** Logins at an identity provider that the browser has not exchanged for tokens yet. */
export interface SsoLogins {
  /**
   * Stores a login until `expiresAt`, epoch milliseconds.
   *
   * @param login.digest hex SHA-256 of the code that exchanges it
   * @param login.sealed the login, encrypted by the caller
   */
  put (login: { digest: string, sealed: string, expiresAt: number }): Promise<void>
  /** Removes and returns a login: exactly one of N concurrent calls gets it, the others and later ones `null`. */
  take (digest: string): Promise<string | null>
}
