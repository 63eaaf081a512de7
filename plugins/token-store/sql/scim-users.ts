import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Scim, ScimCondition, ScimUser, ScimUserField, ScimUserFields } from '../../../contracts/token-store/index.js'
import { alreadyProvisioned, searchKeysOf, userNameTaken } from '../scim-fields.js'
import { matchText, readScimPage } from './scim-lists.js'
import { toDate, toMilliseconds } from './times.js'

type ScimUsers = Pick<Scim, 'createUser' | 'getUser' | 'listUsers' | 'updateUser'>

const USERS_BY_NAME = 'scim_users_by_name'

export function sqlScimUsers (db: Kysely<DatabaseSchema>, lists: ListReads, now: () => number): ScimUsers {
  return {
    async createUser ({ orgId, userId, ...fields }) {
      const at = toDate(now())
      try {
        await db.insertInto('scim_users').values({
          org_id: toColumnText(orgId),
          user_id: toColumnText(userId),
          ...columnsOf(fields),
          version: 1,
          created_at: at,
          updated_at: at
        }).execute()
      } catch (error) {
        throw violates(error, USERS_BY_NAME) ? userNameTaken() : violates(error) ? alreadyProvisioned() : error
      }
      return toUser(await findUser(db, orgId, userId).executeTakeFirstOrThrow())
    },

    async getUser (orgId, userId) {
      const row = await findUser(db, orgId, userId).executeTakeFirst()
      return row === undefined ? null : toUser(row)
    },

    async listUsers (orgId, { filter, offset, limit }) {
      const matching = (reader: Kysely<DatabaseSchema>) =>
        selectUsers(reader).where('scim_users.org_id', '=', toColumnText(orgId))
          .where((eb) => eb.and(filter.map((condition) => matches(eb, condition))))
      return await readScimPage(lists, limit, {
        count: (reader) =>
          matching(reader).clearSelect().select((eb) => eb.fn.countAll<string>().as('count')).executeTakeFirstOrThrow(),
        rows: (reader) => matching(reader).orderBy('scim_users.seq').limit(limit).offset(offset).execute()
      }, toUser)
    },

    async updateUser (orgId, userId, { version, ...fields }) {
      let changed
      try {
        changed = await db.updateTable('scim_users')
          .set({ ...columnsOf(fields), version: version + 1, updated_at: toDate(now()) })
          .where('org_id', '=', toColumnText(orgId)).where('user_id', '=', toColumnText(userId))
          .where('version', '=', version).returning('user_id').executeTakeFirst()
      } catch (error) {
        throw violates(error, USERS_BY_NAME) ? userNameTaken() : error
      }
      const row = await findUser(db, orgId, userId).executeTakeFirst()
      if (row === undefined) return null
      return changed === undefined ? 'stale' : toUser(row)
    }
  }
}

function columnsOf ({ userName, externalId, attributes }: ScimUserFields) {
  const { displayName, givenName, familyName } = searchKeysOf(attributes)
  return {
    user_name: toColumnText(userName),
    user_name_key: toColumnText(userName.toLowerCase()),
    external_id: externalId === null ? null : toColumnText(externalId),
    display_name_key: displayName === null ? null : toColumnText(displayName),
    given_name_key: givenName === null ? null : toColumnText(givenName),
    family_name_key: familyName === null ? null : toColumnText(familyName),
    attributes: JSON.stringify(attributes)
  }
}

function selectUsers (db: Kysely<DatabaseSchema>) {
  return db.selectFrom('scim_users').innerJoin('users', 'users.id', 'scim_users.user_id')
    .innerJoin('memberships', (join) =>
      join.onRef('memberships.user_id', '=', 'scim_users.user_id')
        .onRef('memberships.org_id', '=', 'scim_users.org_id'))
    .selectAll('scim_users').select(['users.email', 'memberships.role', 'memberships.disabled'])
}

function findUser (db: Kysely<DatabaseSchema>, orgId: string, userId: string) {
  return selectUsers(db).where('scim_users.org_id', '=', toColumnText(orgId))
    .where('scim_users.user_id', '=', toColumnText(userId))
}

type Joined = ExpressionBuilder<DatabaseSchema, 'scim_users' | 'users' | 'memberships'>

const COLUMNS = {
  id: 'scim_users.user_id',
  externalId: 'scim_users.external_id',
  userName: 'scim_users.user_name_key',
  email: 'users.email',
  displayName: 'scim_users.display_name_key',
  givenName: 'scim_users.given_name_key',
  familyName: 'scim_users.family_name_key'
} as const

function matches (eb: Joined, condition: ScimCondition<ScimUserField>): Expression<SqlBool> {
  if (condition.field !== 'active') {
    const isExact = condition.field === 'id' || condition.field === 'externalId'
    return matchText(eb, COLUMNS[condition.field], condition, isExact)
  }
  if (condition.operator === 'pr') return eb.lit(true)
  return eb('memberships.disabled', '=', condition.value === 'false')
}

/** Returns whether the database refused a row because of a constraint, or of that unique index. */
export function violates (error: unknown, constraint?: string): boolean {
  const { code, constraint: name } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    constraint?: unknown
  }
  return (code === '23505' || code === '23503') && (constraint === undefined || name === constraint)
}

type UserRow =
  & Selectable<DatabaseSchema['scim_users']>
  & Pick<Selectable<DatabaseSchema['users']>, 'email'>
  & Pick<Selectable<DatabaseSchema['memberships']>, 'role' | 'disabled'>

function toUser (row: UserRow): ScimUser {
  return {
    orgId: fromColumnText(row.org_id),
    userId: fromColumnText(row.user_id),
    userName: fromColumnText(row.user_name),
    externalId: row.external_id === null ? null : fromColumnText(row.external_id),
    attributes: row.attributes,
    email: fromColumnText(row.email),
    role: row.role,
    disabled: row.disabled,
    version: row.version,
    createdAt: toMilliseconds(row.created_at),
    updatedAt: toMilliseconds(row.updated_at)
  }
}
