import type { ScimGroupChange } from '../../../contracts/token-store/index.js'
import type { PatchOperation } from '../../../schemas/scim.js'
import { nameOf } from './documents.js'
import { invalid } from './errors.js'
import { parsePath } from './filter.js'
import type { AttributePath } from './filter.js'
import { operationOf } from './operations.js'
import type { Operation } from './operations.js'
import { isObject } from './values.js'

/** Maximum number of members that one request names. */
export const MAX_MEMBERS = 5_000
const MAX_ID = 100

/** The operations of a request, in their order. */
interface Pending {
  displayName?: string
  externalId?: string | null
  replace: boolean
  add: Set<string>
  remove: Set<string>
}

/**
 * Returns the change of a group that PATCH operations make together. Throws `invalidPath`, `invalidValue`, and
 * `tooMany` for more than 5 000 members.
 */
export function patchGroup (operations: readonly PatchOperation[]): ScimGroupChange {
  const pending: Pending = { replace: false, add: new Set(), remove: new Set() }
  for (const given of operations) {
    const { operation, path, value } = operationOf(given)
    if (path !== undefined) {
      apply(pending, operation, parsePath(path), value)
    } else if (operation === 'remove' || !isObject(value)) {
      throw invalid('invalidValue', 'An operation without a path needs an object as its value')
    } else {
      for (const [key, each] of Object.entries(value)) {
        const name = key.toLowerCase()
        if (KNOWN.has(name)) apply(pending, operation, { extension: null, name, conditions: null, sub: null }, each)
      }
    }
  }
  const { displayName, externalId, replace, add, remove } = pending
  if (add.size + remove.size > MAX_MEMBERS) throw tooMany()
  return {
    ...displayName === undefined ? {} : { displayName },
    ...externalId === undefined ? {} : { externalId },
    members: { replace, add: [...add], remove: [...remove] }
  }
}

const KNOWN = new Set(['displayname', 'externalid', 'members'])
/** Okta sends the id of the group with a new name. */
const IGNORED = new Set(['id', 'schemas', 'meta'])

function apply (pending: Pending, operation: Operation, path: AttributePath, value: unknown): void {
  const { extension, name, conditions, sub } = path
  if (extension === null && IGNORED.has(name)) return
  const isPlain = conditions === null && sub === null
  if (extension === null && name === 'members' && sub === null) {
    changeMembers(pending, operation, conditions, value)
  } else if (extension === null && name === 'displayname' && isPlain) {
    if (operation === 'remove') throw invalid('mutability', 'A group needs a displayName')
    pending.displayName = nameOf('displayName', value)
  } else if (extension === null && name === 'externalid' && isPlain) {
    const isRemoved = operation === 'remove' || value === null || value === ''
    pending.externalId = isRemoved ? null : nameOf('externalId', value)
  } else {
    throw invalid('invalidPath', 'The path names an unknown attribute of groups')
  }
}

function changeMembers (
  pending: Pending,
  operation: Operation,
  conditions: AttributePath['conditions'],
  value: unknown
): void {
  const { add, remove } = pending
  if (conditions !== null) {
    const [condition, ...more] = conditions
    const isById = condition?.path.name === 'value' && condition.operator === 'eq' && more.length === 0
    if (operation !== 'remove' || !isById || typeof condition.value !== 'string') {
      throw invalid('invalidPath', 'Members can be selected by members[value eq "id"], only to remove them')
    }
    add.delete(condition.value)
    remove.add(condition.value)
  } else if (operation === 'remove' && value !== undefined && value !== null) {
    for (const id of memberIds(value)) {
      add.delete(id)
      remove.add(id)
    }
  } else {
    if (operation !== 'add') {
      pending.replace = true
      add.clear()
      remove.clear()
    }
    if (operation === 'remove') return
    for (const id of memberIds(value)) {
      add.add(id)
      remove.delete(id)
    }
  }
}

/** Returns the ids of a list of members, `[{ value }]`. Throws `invalidValue`. */
export function memberIds (members: unknown): string[] {
  if (members === undefined || members === null) return []
  const list = (Array.isArray(members) ? members : [members]) as unknown[]
  if (list.length > MAX_MEMBERS) throw tooMany()
  return list.map((member) => {
    const id = isObject(member) ? member.value : member
    if (typeof id !== 'string' || id === '' || id.length > MAX_ID) {
      throw invalid('invalidValue', 'A member of a group needs the id of a user as its value')
    }
    return id
  })
}

function tooMany (): Error {
  return invalid('tooMany', `A request names at most ${MAX_MEMBERS} members`)
}
