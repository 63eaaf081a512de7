import { ROLES } from '../../../contracts/token-store/index.js'
import type { Role, RoleRules } from '../../../contracts/token-store/index.js'

/** Returns the role of a person: the highest of all matching values, else the fallback; `null` for no access. */
export function roleOf ({ mapping, fallback }: RoleRules, values: readonly string[]): Role | null {
  const matched = mapping.filter(({ value }) => values.includes(value)).map(({ role }) => role)
  return highest(matched) ?? fallback
}

/**
 * Returns the role that a login changes an existing member to. Without a claim in the rules roles are managed here, and
 * so are roles above all that the rules give.
 */
export function changedRole (rules: RoleRules, current: Role, mapped: Role): Role {
  if (rules.claim === null) return current
  const given = highest([...rules.mapping.map(({ role }) => role), mapped])
  return given !== null && ROLES.indexOf(current) < ROLES.indexOf(given) ? current : mapped
}

function highest (roles: readonly Role[]): Role | null {
  return ROLES.find((role) => roles.includes(role)) ?? null
}
