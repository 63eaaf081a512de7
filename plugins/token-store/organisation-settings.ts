import type { Organisation, OrganisationPatch } from '../../contracts/token-store/index.js'

/** Completes the properties of an organisation with their defaults. */
export function organisationOf (
  { id, name, mfa = 'optional', maxUsers = null, maxSources = null }: { id: string, name: string } & OrganisationPatch
): Omit<Organisation, 'createdAt'> {
  return { id, name, mfa, maxUsers, maxSources }
}
