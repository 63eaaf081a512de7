import type { FastifyRequest } from 'fastify'

import { FORBIDDEN } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'

/** The roles that a route allows, and those that each field of its body needs. */
export interface AdminRoles {
  roles: readonly Role[]
  /**
   * Members of the body and of the query that only some of these roles may send, by name: `{ require_signature: ['owner', 'admin'] }`. A
   * request of another role that has one, whatever its value, is refused. Default: every role may send every member.
   */
  fields?: Readonly<Record<string, readonly Role[]>>
}

/** The access rule of a route. `true` allows every signed-in administrator. */
export type AdminDemand = boolean | AdminRoles

const MEMBERS = ['roles', 'fields']

/** Whether a value is a well-formed `config.gatehouse.admin`. */
export function isAdminDemand (value: unknown): value is AdminDemand {
  if (typeof value === 'boolean') return true
  if (typeof value !== 'object' || value === null || !Object.keys(value).every((name) => MEMBERS.includes(name))) return false
  const { roles, fields = {} } = value as Partial<AdminRoles>
  return isRoles(roles) && typeof fields === 'object' && fields !== null && Object.values(fields).every(isRoles)
}

/** The refusal of a request that has a member which the role may not send, or `null`. */
export function fieldRefusal ({ body, query }: FastifyRequest, demand: AdminDemand, role: Role): GatehouseError | null {
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
