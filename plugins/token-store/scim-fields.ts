import { CONFLICT, INVALID_REQUEST } from '../../lib/errors.js'
import type { ScimSettings } from '../../contracts/token-store/index.js'

/** The settings of an organisation that has not set any. */
export const DEFAULT_SCIM_SETTINGS: ScimSettings = { groupRoles: [], defaultRole: 'viewer' }

/** The attributes by which users can be searched, in lower case. */
export interface ScimSearchKeys {
  displayName: string | null
  givenName: string | null
  familyName: string | null
}

/** Returns the searchable attributes of a user. */
export function searchKeysOf ({ displayName, name }: Record<string, unknown>): ScimSearchKeys {
  const { givenName, familyName } = (typeof name === 'object' && name !== null ? name : {}) as Record<string, unknown>
  return { displayName: keyOf(displayName), givenName: keyOf(givenName), familyName: keyOf(familyName) }
}

function keyOf (value: unknown): string | null {
  return typeof value === 'string' ? value.toLowerCase() : null
}

/** Creates the error for a user name that another user of the organisation has. */
export function userNameTaken (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'Another user of the organisation has this userName' })
}

/** Creates the error for a member who is provisioned already. */
export function alreadyProvisioned (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'This user is provisioned already' })
}

/** Creates the error for a display name that another group of the organisation has. */
export function groupNameTaken (): InstanceType<typeof CONFLICT> {
  return new CONFLICT({ message: 'Another group of the organisation has this displayName' })
}

/** Creates the error for a member of a group who is no provisioned user of the organisation. */
export function unknownGroupMember (): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ message: 'A member of the group is no provisioned user of the organisation' })
}
