import { CONFLICT, FORBIDDEN } from '../../lib/errors.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'
import { randomBase62 } from '../../signing/base62.js'

/** Milliseconds after which a failed login no longer counts as consecutive. */
export const FAILURES_FORGOTTEN_AFTER = 86_400_000

/** Maximum duration of requesting a guest token, milliseconds; a request normally takes seconds. */
export const MAX_MINT_TIME = 600_000

/** Maximum number of sessions in a user's list, the newest. */
export const MAX_LISTED_SESSIONS = 100

/** How long a logout at an identity provider ends logins that came before it, milliseconds. */
export const LOGOUTS_KEPT_FOR = 1_200_000

/** Maximum number of passkeys of a user. */
export const MAX_PASSKEYS = 20

/** How long an expired API key is listed, milliseconds. */
export const EXPIRED_KEYS_KEPT_FOR = 30 * 86_400_000

/** Creates the id of an API key: `key_` and 24 random base62 characters, which differ from the id of a user. */
export function newApiKeyId (): string {
  return `key_${randomBase62(24)}`
}

/** Creates the id of an identity provider: `idp_` and 24 random base62 characters. */
export function newProviderId (): string {
  return `idp_${randomBase62(24)}`
}

/** Creates the id of an email domain: `dom_` and 24 random base62 characters. */
export function newDomainId (): string {
  return `dom_${randomBase62(24)}`
}

/** Creates the error for an organisation that has reached its quota. */
export function overQuota (
  things: 'sources' | 'users' | 'webhooks' | 'API keys' | 'identity providers' | 'domains' | 'groups',
  quota: number
): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: `The organisation may have no more ${things} (at most ${quota})` })
}

/** Creates the error for a change that would leave an organisation without an enabled owner. */
export function lastOwner (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'The organisation must keep an enabled owner' })
}

/** Creates the error for an email of a member who would be added once more. */
export function alreadyMember (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'This user is a member already' })
}

/** Creates the error for an email that another account has. */
export function emailTaken (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'This email is taken' })
}

/** Throws `FORBIDDEN` if the caller may not change members, or invitations, of that role. */
export function assertChangeable (role: Role, changeable: readonly Role[] | undefined): void {
  if (changeable?.includes(role) !== false) return
  throw new FORBIDDEN({ message: `You may not change members with the role ${role}`, reason: `member ${role}` })
}

/** Returns whether a member of the role `inviter` may give the role `given`. */
export function mayGive (inviter: Role, given: Role): boolean {
  return ROLES.indexOf(inviter) <= ROLES.indexOf(given)
}

/** Creates the error for the removal of a factor that an organisation of the user requires. */
export function lastFactor (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'Your organisation requires a second factor; set up another one first' })
}

/** Creates the error for a user with the maximum number of passkeys. */
export function tooManyPasskeys (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: `An account may have no more passkeys (at most ${MAX_PASSKEYS})` })
}

/** Creates the error for a domain that the organisation has already. */
export function domainTaken (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'The organisation has this domain already' })
}

/** Creates the error for a domain that another organisation has proved. */
export function domainProvedElsewhere (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'Another organisation has proved this domain' })
}

/** Creates the error for a subject of a provider, or a user, that is linked already. */
export function identityTaken (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'This account is linked to another identity' })
}

/** Creates the error for an organisation that does not exist. */
export function noOrganisation (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'This organisation does not exist' })
}
