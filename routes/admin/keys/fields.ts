import { FORBIDDEN, INVALID_REQUEST } from '../../../lib/errors.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { ApiKey, Role } from '../../../contracts/token-store/index.js'
import type { ApiKeyItem, NewApiKeyBody } from '../../../schemas/admin-keys.js'

const DAY = 86_400_000

export function viewApiKey (key: ApiKey): ApiKeyItem {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    role: key.role,
    permissions: key.permissions,
    expires_at: toTime(key.expiresAt),
    last_used_at: toTime(key.lastUsedAt),
    created_by: key.createdBy,
    created_at: new Date(key.createdAt).toISOString()
  }
}

/** Returns when a new key expires, epoch milliseconds; `null` for never. Throws `INVALID_REQUEST`. */
export function expiryOf ({ expires_in_days: days, expires_at: time }: NewApiKeyBody, now: number): number | null {
  if (days !== undefined && time !== undefined) {
    throw invalidField('expires_at', 'must not be sent together with expires_in_days')
  }
  if (days !== undefined) return now + days * DAY
  if (time === undefined) return null
  const expiresAt = Date.parse(time)
  // The schema's date-time format accepts a leap second, which Date.parse does not.
  if (Number.isNaN(expiresAt)) throw invalidField('expires_at', 'must be an ISO-8601 time')
  if (expiresAt <= now) throw invalidField('expires_at', 'must be in the future')
  return expiresAt
}

/** Throws `INVALID_REQUEST` for a permission that is not in the list. */
export function assertPermissions (permissions: readonly string[] | undefined, known: ReadonlySet<string>): void {
  const at = permissions?.findIndex((permission) => !known.has(permission)) ?? -1
  if (at !== -1) throw invalidField(`permissions/${at}`, 'must be a name from GET /permissions')
}

/** Throws `FORBIDDEN` if a key's role is above the role of the caller. */
export function assertNotAbove (role: Role, caller: Role): void {
  if (ROLES.indexOf(role) >= ROLES.indexOf(caller)) return
  throw new FORBIDDEN({ message: 'The role of the API key is above yours', reason: `role ${caller}` })
}

function toTime (time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}

function invalidField (field: string, message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ details: [{ path: `/${field}`, message }] })
}
