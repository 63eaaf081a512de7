import { nameOf } from '../sign-in/people.js'
import type { Person } from '../sign-in/people.js'

export const SCOPES = ['openid', 'email', 'profile']

/**
 * Returns the claims about a person: `email` and `profile` claims by scope, and the groups always, as providers do
 * that are configured to send groups. A person without groups has no `groups` claim.
 */
export function claimsOf (person: Person, scopes: readonly string[]): Record<string, unknown> {
  const { id, email, emailVerified, givenName, familyName, groups } = person
  return {
    sub: id,
    ...scopes.includes('email') ? { email, email_verified: emailVerified } : {},
    ...scopes.includes('profile')
      ? { name: nameOf(person), given_name: givenName, family_name: familyName, preferred_username: email }
      : {},
    ...groups.length === 0 ? {} : { groups }
  }
}
