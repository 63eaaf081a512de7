/** The user whom a verified credential of a request names. */
export interface SignedUser {
  sub: string
  /** When the credential was issued, in epoch milliseconds. Default: the current time. */
  iat?: number | undefined
}

/** The credentials of a request that name its end user. A scope without the guard has no such property. */
interface Credentials {
  userReference?: SignedUser | null
  identityToken?: { sub: string, provider: string | null, issuedAt: number } | null
}

/**
 * Returns the end users whom the verified credentials of a request name: the user reference first, then the identity
 * token.
 */
export function signedUsers ({ userReference, identityToken }: Credentials): SignedUser[] {
  const users: SignedUser[] = []
  if (userReference != null) users.push(userReference)
  if (identityToken != null) {
    users.push({ sub: qualifiedId(identityToken.provider, identityToken.sub), iat: identityToken.issuedAt })
  }
  return users
}

/**
 * Returns the id of a user or a tenant of an identity provider. It begins with the name of the provider, if it has one:
 * two providers may use the same id for different people.
 *
 * @example
 * qualifiedId('okta', '00u1') // 'okta:00u1'
 */
export function qualifiedId (provider: string | null, id: string): string {
  return provider === null ? id : `${provider}:${id}`
}
