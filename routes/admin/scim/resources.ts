import type { FastifyRequest } from 'fastify'

import type { ScimGroup, ScimGroupMember, ScimGroupName, ScimUser } from '../../../contracts/token-store/index.js'
import type { ScimReadQuery, ScimResource } from '../../../schemas/scim.js'
import { ENTERPRISE_URN, GROUP_URN, USER_URN } from './attributes.js'
import { isObject } from './values.js'
import type { Attributes } from './values.js'

/** Returns the address of a resource below the prefix of the scope. */
export type Locate = (request: FastifyRequest, path: string) => string

/** Returns a function for the address of resources, by the host that the client addressed. */
export function locator (prefix: string): Locate {
  return ({ protocol, host }, path) => `${protocol}://${host}${prefix}${path}`
}

/** Returns a user as a resource. */
export function viewUser (user: ScimUser, groups: readonly ScimGroupName[], location: string): ScimResource {
  const { userId, userName, externalId, attributes, role, disabled, createdAt, updatedAt } = user
  return {
    schemas: ENTERPRISE_URN in attributes ? [USER_URN, ENTERPRISE_URN] : [USER_URN],
    id: userId,
    userName,
    ...externalId === null ? {} : { externalId },
    active: !disabled,
    ...attributes,
    roles: [{ value: role, primary: true }],
    groups: groups.map(({ id, displayName }) => ({ value: id, display: displayName, type: 'direct' })),
    meta: metaOf('User', location, createdAt, updatedAt)
  }
}

/** Returns a group as a resource; without `members` if they were not read. */
export function viewGroup (
  { id, displayName, externalId, createdAt, updatedAt }: ScimGroup,
  members: readonly ScimGroupMember[] | undefined,
  location: string
): ScimResource {
  return {
    schemas: [GROUP_URN],
    id,
    displayName,
    ...externalId === null ? {} : { externalId },
    ...members === undefined
      ? {}
      : { members: members.map(({ userId, userName }) => ({ value: userId, display: userName, type: 'User' })) },
    meta: metaOf('Group', location, createdAt, updatedAt)
  }
}

function metaOf (resourceType: string, location: string, createdAt: number, updatedAt: number) {
  const [created, lastModified] = [new Date(createdAt).toISOString(), new Date(updatedAt).toISOString()]
  return { resourceType, created, lastModified, location }
}

/** The attributes that a query selects, in lower case. */
export interface Projection {
  /** `null` for all. */
  only: ReadonlySet<string> | null
  without: ReadonlySet<string>
}

export function projectionOf ({ attributes, excludedAttributes }: ScimReadQuery): Projection {
  const named = namesIn(attributes)
  return { only: named.size === 0 ? null : named, without: namesIn(excludedAttributes) }
}

/** Returns whether a projection contains an attribute of the core schema. */
export function includes ({ only, without }: Projection, name: string): boolean {
  const isNamed = only === null || Array.from(only).some((each) => each === name || each.startsWith(`${name}.`))
  return isNamed && !without.has(name)
}

function namesIn (list: string | undefined): ReadonlySet<string> {
  const urns = [USER_URN, GROUP_URN].map((urn) => `${urn}:`.toLowerCase())
  return new Set((list ?? '').split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
    .map((name) => name.slice(urns.find((urn) => name.startsWith(urn))?.length ?? 0)))
}

/** Returns the attributes of a resource that a query selects. `schemas` and `id` are always returned. */
export function project (resource: ScimResource, { only, without }: Projection): ScimResource {
  if (only === null && without.size === 0) return resource
  return select(resource, '', only, without)
}

function select (value: Attributes, path: string, only: Projection['only'], without: Projection['without']): Attributes {
  const entries = Object.entries(value).flatMap(([key, each]): Array<[string, unknown]> => {
    const name = path + key.toLowerCase()
    if (path === '' && (name === 'schemas' || name === 'id')) return [[key, each]]
    if (without.has(name)) return []
    const isWhole = only === null || only.has(name)
    const separator = key === ENTERPRISE_URN ? ':' : '.'
    const isPart = only !== null && Array.from(only).some((other) => other.startsWith(name + separator))
    if (!isWhole && !isPart) return []
    const inner = isWhole ? null : only
    const part = (item: unknown) => isObject(item) ? select(item, name + separator, inner, without) : item
    return [[key, Array.isArray(each) ? each.map(part) : part(each)]]
  })
  return Object.fromEntries(entries)
}
