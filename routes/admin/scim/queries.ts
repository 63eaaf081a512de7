import type { ScimCondition, ScimGroupField, ScimQuery, ScimUserField } from '../../../contracts/token-store/index.js'
import { SCIM_LIST } from '../../../schemas/scim.js'
import type { ScimList, ScimListQuery, ScimResource } from '../../../schemas/scim.js'
import { invalid } from './errors.js'
import { parseFilter } from './filter.js'
import type { Condition } from './filter.js'

const DEFAULT_COUNT = 100
/** Maximum number of resources of a page. */
export const MAX_COUNT = 200

const USER_FIELDS: Readonly<Record<string, ScimUserField>> = {
  id: 'id',
  username: 'userName',
  externalid: 'externalId',
  emails: 'email',
  'emails.value': 'email',
  displayname: 'displayName',
  'name.givenname': 'givenName',
  'name.familyname': 'familyName',
  active: 'active'
}
const GROUP_FIELDS: Readonly<Record<string, ScimGroupField>> = {
  id: 'id',
  displayname: 'displayName',
  externalid: 'externalId',
  members: 'member',
  'members.value': 'member'
}

/** Returns the query of a list of users. Throws `invalidFilter`. */
export function userQuery (query: ScimListQuery): ScimQuery<ScimUserField> {
  return queryOf<ScimUserField>(query, (condition) => {
    const field = fieldOf(condition, USER_FIELDS)
    if (field !== 'active') return textCondition(field, condition)
    if (condition.operator === 'pr') return { field, operator: 'pr' }
    const value = String(condition.value).toLowerCase()
    if (condition.operator === 'eq' && (value === 'true' || value === 'false')) return { field, operator: 'eq', value }
    throw invalid('invalidFilter', 'active can be compared by eq with true or false')
  })
}

/** Returns the query of a list of groups. Throws `invalidFilter`. */
export function groupQuery (query: ScimListQuery): ScimQuery<ScimGroupField> {
  return queryOf(query, (condition) => {
    const field = fieldOf(condition, GROUP_FIELDS)
    if (field === 'member' && condition.operator !== 'eq') {
      throw invalid('invalidFilter', 'members can be compared by eq with the id of a user')
    }
    return textCondition(field, condition)
  })
}

function queryOf<Field extends string> (
  { filter, startIndex = 1, count = DEFAULT_COUNT }: ScimListQuery,
  toCondition: (condition: Condition) => ScimCondition<Field>
): ScimQuery<Field> {
  return {
    filter: filter === undefined || filter.trim() === '' ? [] : parseFilter(filter).map(toCondition),
    offset: Math.max(startIndex, 1) - 1,
    limit: Math.min(Math.max(count, 0), MAX_COUNT)
  }
}

function fieldOf<Field extends string> (
  { path: { extension, name, conditions, sub } }: Condition,
  fields: Readonly<Record<string, Field>>
): Field {
  const full = sub === null ? name : `${name}.${sub}`
  // The email of the account is the work address, so other conditions on the address cannot be met.
  const isWork = conditions?.every(({ path, operator, value }) =>
    path.name === 'type' && operator === 'eq' && String(value).toLowerCase() === 'work'
  ) ?? true
  if (extension === null && isWork && (conditions === null || name === 'emails') && Object.hasOwn(fields, full)) {
    return fields[full] as Field
  }
  throw invalid('invalidFilter', `A filter can compare ${Object.values(FILTERABLE).join(', ')}`)
}

const FILTERABLE = {
  users: 'id, userName, externalId, emails.value, emails[type eq "work"].value, displayName, name.givenName, ' +
    'name.familyName and active of users',
  groups: 'id, displayName, externalId and members.value of groups'
}

function textCondition<Field extends string> (
  field: Field,
  { operator, value }: Condition
): ScimCondition<Field> {
  if (operator === 'pr') return { field, operator }
  if (typeof value !== 'string') throw invalid('invalidFilter', 'The filter compares a string with another type')
  return { field, operator, value }
}

/** Returns a page of resources. */
export function listReply (resources: ScimResource[], totalResults: number, startIndex = 1): ScimList {
  return { schemas: [SCIM_LIST], totalResults, startIndex, itemsPerPage: resources.length, Resources: resources }
}
