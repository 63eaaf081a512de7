import type { FastifyRequest } from 'fastify'

import { FORBIDDEN } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'

/** The roles that a route allows, and the roles that may send certain properties. */
export interface AdminRoles {
  roles: readonly Role[]
  /**
   * Roles that may send a property of the body or the query, by its name: `{ require_signature: ['owner', 'admin'] }`.
   * A request of another role with the property is refused, whatever the value. Default: all roles may send all
   * properties.
   */
  fields?: Readonly<Record<string, readonly Role[]>>
}

/** The access rule of a route. `true` allows all administrators. */
export type AdminDemand = boolean | AdminRoles

const MEMBERS = ['roles', 'fields']

/** Returns whether a value is a valid `config.gatehouse.admin`. */
export function isAdminDemand (value: unknown): value is AdminDemand {
  if (typeof value === 'boolean') return true
  if (typeof value !== 'object' || value === null || !Object.keys(value).every((name) => MEMBERS.includes(name))) {
    return false
  }
  const { roles, fields = {} } = value as Partial<AdminRoles>
  return isRoles(roles) && typeof fields === 'object' && fields !== null && Object.values(fields).every(isRoles)
}

/** Returns the error of a request with a property that the role must not send, or `null`. */
export function validateFields (
  { body, query }: FastifyRequest,
  demand: AdminDemand,
  role: Role
): GatehouseError | null {
  if (typeof demand === 'boolean' || demand.fields === undefined) return null
  for (const [field, roles] of Object.entries(demand.fields)) {
    if (roles.includes(role) || (!has(body, field) && !has(query, field))) continue
    return new FORBIDDEN({ message: `Only ${roles.join(' and ')} may send "${field}"`, reason: `role ${role}` })
  }
  return null
}

function isRoles (value: unknown): value is readonly Role[] {
  return Array.isArray(value) && value.length > 0 && value.every((role) => ROLES.includes(role as Role))
}

function has (thing: unknown, field: string): boolean {
  return typeof thing === 'object' && thing !== null && Object.hasOwn(thing, field)
}
