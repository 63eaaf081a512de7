import type { FastifyRequest } from 'fastify'

import { FORBIDDEN, UNAUTHORIZED } from '../../lib/errors.js'
import type { GatehouseError } from '../../lib/errors.js'
import type { Admin } from './admin.js'
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
  /**
   * Requires a second factor that the user has proved within `stepUpAge`. A user without a second factor passes while
   * the organisation does not require one; with `'enrolled'` such a user always passes. An API key passes. Default:
   * `false`.
   */
  stepUp?: boolean | 'enrolled'
  /**
   * The permission that an API key needs, such as `'reports:read'`: two lower-case names with a colon between them.
   * Default: none, and the route refuses API keys.
   */
  permission?: string
}

/** The access rule of a route. `true` allows all administrators. */
export type AdminDemand = boolean | AdminRoles

const MEMBERS = ['roles', 'fields', 'stepUp', 'permission']
const STEP_UPS: readonly unknown[] = [true, false, 'enrolled']
const PERMISSION = /^[a-z][a-z0-9_-]{0,63}:[a-z][a-z0-9_-]{0,63}$/

/** Returns whether a value is a valid `config.gatehouse.admin`. */
export function isAdminDemand (value: unknown): value is AdminDemand {
  if (typeof value === 'boolean') return true
  if (typeof value !== 'object' || value === null || !Object.keys(value).every((name) => MEMBERS.includes(name))) {
    return false
  }
  const { roles, fields = {}, stepUp = false, permission } = value as Partial<AdminRoles>
  return isRoles(roles) && STEP_UPS.includes(stepUp) && typeof fields === 'object' && fields !== null &&
    Object.values(fields).every(isRoles) &&
    (permission === undefined || isPermission(permission))
}

/** Returns whether a value is the name of a permission. */
export function isPermission (value: unknown): value is string {
  return typeof value === 'string' && PERMISSION.test(value)
}

/**
 * Throws `FORBIDDEN` if the role may not call the route, or if the caller is an API key and lacks the permission of the
 * route.
 */
export function assertAllowed (admin: Admin, demand: AdminDemand): void {
  if (typeof demand === 'object' && !demand.roles.includes(admin.role)) {
    throw new FORBIDDEN({ reason: `role ${admin.role}` })
  }
  if (admin.kind === 'user') return
  const permission = typeof demand === 'object' ? demand.permission : undefined
  if (permission === undefined) {
    throw new FORBIDDEN({ message: 'API keys may not call this route', reason: `API key ${admin.sub}` })
  }
  if (admin.permissions !== null && !admin.permissions.includes(permission)) {
    throw new FORBIDDEN({ message: `The API key lacks the permission ${permission}`, reason: `API key ${admin.sub}` })
  }
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

/** The state of the second factor of an administrator. */
interface FactorState {
  readonly mfaAt: number | null
  readonly hasFactor: boolean
  readonly mfaRequired: boolean
  /** The identity provider of the session, which may have proved the second factor; `null` for none. */
  readonly providerId: string | null
}

/**
 * Returns the error of an administrator who has not proved a second factor since `since`, epoch milliseconds, on a
 * route that requires it; else `null`.
 */
export function validateStepUp (
  demand: AdminDemand,
  { mfaAt, hasFactor, mfaRequired, providerId }: FactorState,
  since: number
): GatehouseError | null {
  const stepUp = typeof demand === 'object' && demand.stepUp !== undefined && demand.stepUp
  const isProved = (hasFactor || providerId !== null) && mfaAt !== null && mfaAt >= since
  if (stepUp === false || isProved) return null
  if (hasFactor) return new UNAUTHORIZED({ message: 'Confirm your second factor again', reason: 'step-up' })
  return mfaRequired && stepUp === true
    ? new FORBIDDEN({ message: 'Your organisation requires a second factor; set it up first', reason: 'no factor' })
    : null
}

function isRoles (value: unknown): value is readonly Role[] {
  return Array.isArray(value) && value.length > 0 && value.every((role) => ROLES.includes(role as Role))
}

function has (thing: unknown, field: string): boolean {
  return typeof thing === 'object' && thing !== null && Object.hasOwn(thing, field)
}
