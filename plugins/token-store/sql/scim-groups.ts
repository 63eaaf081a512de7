import { randomUUID } from 'node:crypto'

import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool, Transaction } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type {
  Scim, ScimCondition, ScimGroup, ScimGroupChange, ScimGroupField,
  ScimGroupMember
} from '../../../contracts/token-store/index.js'
import { groupNameTaken, unknownGroupMember } from '../scim-fields.js'
import { assertRoom } from './quotas.js'
import { matchText, readScimPage } from './scim-lists.js'
import { violates } from './scim-users.js'
import { toDate, toMilliseconds } from './times.js'

type Tx = Transaction<DatabaseSchema>
type ScimGroups = Pick<Scim, 'createGroup' | 'getGroup' | 'listGroups' | 'groupMembers' | 'changeGroup' | 'deleteGroup'>

const GROUPS_BY_NAME = 'scim_groups_by_name'

export function sqlScimGroups (db: Kysely<DatabaseSchema>, lists: ListReads, now: () => number): ScimGroups {
  return {
    async createGroup ({ orgId, displayName, externalId, members, quota }) {
      const at = toDate(now())
      return await withNameCheck(db.transaction().execute(async (tx) => {
        await assertRoom(tx, 'scim_groups', orgId, quota)
        const row = await tx.insertInto('scim_groups').values({
          id: randomUUID(),
          org_id: toColumnText(orgId),
          display_name: toColumnText(displayName),
          display_name_key: toColumnText(displayName.toLowerCase()),
          external_id: externalId === null ? null : toColumnText(externalId),
          created_at: at,
          updated_at: at
        }).returningAll().executeTakeFirstOrThrow()
        await addMembers(tx, row, members)
        return toGroup(row)
      }))
    },

    async getGroup (orgId, id) {
      const row = await findGroup(db, orgId, id).executeTakeFirst()
      return row === undefined ? null : toGroup(row)
    },

    async listGroups (orgId, { filter, offset, limit }) {
      const matching = (reader: Kysely<DatabaseSchema>) =>
        reader.selectFrom('scim_groups').selectAll().where('org_id', '=', toColumnText(orgId))
          .where((eb) => eb.and(filter.map((condition) => matches(eb, condition))))
      return await readScimPage(lists, limit, {
        count: (reader) =>
          matching(reader).clearSelect().select((eb) => eb.fn.countAll<string>().as('count')).executeTakeFirstOrThrow(),
        rows: (reader) => matching(reader).orderBy('seq').limit(limit).offset(offset).execute()
      }, toGroup)
    },

    async groupMembers (orgId, groupIds) {
      const found = new Map<string, ScimGroupMember[]>(groupIds.map((id) => [id, []]))
      if (groupIds.length === 0) return found
      const rows = await lists.read((reader) =>
        reader.selectFrom('scim_group_members as member')
          .innerJoin('scim_users as user', (join) =>
            join.onRef('user.user_id', '=', 'member.user_id').onRef('user.org_id', '=', 'member.org_id'))
          .select(['member.group_id', 'member.user_id', 'user.user_name'])
          .where('member.org_id', '=', toColumnText(orgId))
          .where('member.group_id', 'in', groupIds.map(toColumnText)).orderBy('user.user_name_key').execute()
      )
      for (const { group_id: id, user_id: userId, user_name: userName } of rows) {
        found.get(fromColumnText(id))?.push({ userId: fromColumnText(userId), userName: fromColumnText(userName) })
      }
      return found
    },

    async changeGroup (orgId, id, change) {
      return await withNameCheck(db.transaction().execute(async (tx) => {
        // The lock serialises changes of one group.
        const before = await findGroup(tx, orgId, id).forUpdate().executeTakeFirst()
        if (before === undefined) return null
        const row = await tx.updateTable('scim_groups').set({ ...columnsOf(change), updated_at: toDate(now()) })
          .where('id', '=', before.id).returningAll().executeTakeFirstOrThrow()
        const { add = [] } = change.members ?? {}
        const left = await removeMembers(tx, before.id, change)
        await addMembers(tx, row, add)
        const isRenamed = row.display_name_key !== before.display_name_key
        const touched = new Set([...add, ...left, ...isRenamed ? await memberIds(tx, before.id) : []])
        return { group: toGroup(row), touched: [...touched] }
      }))
    },

    async deleteGroup (orgId, id) {
      return await db.transaction().execute(async (tx) => {
        const row = await findGroup(tx, orgId, id).forUpdate().executeTakeFirst()
        if (row === undefined) return null
        const touched = await memberIds(tx, row.id)
        await tx.deleteFrom('scim_groups').where('id', '=', row.id).execute()
        return { group: toGroup(row), touched }
      })
    }
  }
}

function findGroup (db: Kysely<DatabaseSchema>, orgId: string, id: string) {
  return db.selectFrom('scim_groups').selectAll().where('org_id', '=', toColumnText(orgId))
    .where('id', '=', toColumnText(id))
}

function columnsOf ({ displayName, externalId }: ScimGroupChange) {
  return {
    ...displayName === undefined
      ? {}
      : { display_name: toColumnText(displayName), display_name_key: toColumnText(displayName.toLowerCase()) },
    ...externalId === undefined ? {} : { external_id: externalId === null ? null : toColumnText(externalId) }
  }
}

const COLUMNS = { id: 'id', displayName: 'display_name_key', externalId: 'external_id' } as const

function matches (
  eb: ExpressionBuilder<DatabaseSchema, 'scim_groups'>,
  condition: ScimCondition<ScimGroupField>
): Expression<SqlBool> {
  const { field } = condition
  if (field !== 'member') return matchText(eb, COLUMNS[field], condition, field !== 'displayName')
  const userId = condition.operator === 'eq' ? toColumnText(condition.value) : ''
  return eb.exists(
    eb.selectFrom('scim_group_members').select('user_id').whereRef('group_id', '=', 'scim_groups.id')
      .where('user_id', '=', userId)
  )
}

async function memberIds (tx: Tx, groupId: string): Promise<string[]> {
  const rows = await tx.selectFrom('scim_group_members').select('user_id').where('group_id', '=', groupId).execute()
  return rows.map((row) => fromColumnText(row.user_id))
}

/** Removes members, and resolves with the ids of those who were members. */
async function removeMembers (tx: Tx, groupId: string, { members = {} }: ScimGroupChange): Promise<string[]> {
  const { replace = false, add = [], remove = [] } = members
  if (!replace && remove.length === 0) return []
  let query = tx.deleteFrom('scim_group_members').where('group_id', '=', groupId)
  if (!replace) query = query.where('user_id', 'in', remove.map(toColumnText))
  else if (add.length > 0) query = query.where('user_id', 'not in', add.map(toColumnText))
  const rows = await query.returning('user_id').execute()
  return rows.map((row) => fromColumnText(row.user_id))
}

async function addMembers (
  tx: Tx,
  { id, org_id: orgId }: { id: string, org_id: string },
  userIds: readonly string[]
): Promise<void> {
  if (userIds.length === 0) return
  const ids = [...new Set(userIds)]
  const known = await tx.selectFrom('scim_users').select('user_id').where('org_id', '=', orgId)
    .where('user_id', 'in', ids.map(toColumnText)).forKeyShare().execute()
  if (known.length !== ids.length) throw unknownGroupMember()
  await tx.insertInto('scim_group_members')
    .values(known.map(({ user_id: userId }) => ({ group_id: id, org_id: orgId, user_id: userId })))
    .onConflict((conflict) => conflict.doNothing()).execute()
}

async function withNameCheck<Result> (result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    throw violates(error, GROUPS_BY_NAME) ? groupNameTaken() : error
  }
}

function toGroup (row: Selectable<DatabaseSchema['scim_groups']>): ScimGroup {
  return {
    id: fromColumnText(row.id),
    orgId: fromColumnText(row.org_id),
    displayName: fromColumnText(row.display_name),
    externalId: row.external_id === null ? null : fromColumnText(row.external_id),
    createdAt: toMilliseconds(row.created_at),
    updatedAt: toMilliseconds(row.updated_at)
  }
}
