import type { Kysely } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import type { Scim, ScimStanding } from '../../../contracts/token-store/index.js'
import { DEFAULT_SCIM_SETTINGS } from '../scim-fields.js'
import { sqlScimGroups } from './scim-groups.js'
import { sqlScimUsers } from './scim-users.js'

export function sqlScim (db: Kysely<DatabaseSchema>, lists: ListReads, now: () => number): Scim {
  return {
    ...sqlScimUsers(db, lists, now),
    ...sqlScimGroups(db, lists, now),

    async settings (orgId) {
      const row = await db.selectFrom('scim_settings').selectAll().where('org_id', '=', toColumnText(orgId))
        .executeTakeFirst()
      if (row === undefined) return structuredClone(DEFAULT_SCIM_SETTINGS)
      return { groupRoles: row.group_roles, defaultRole: row.default_role }
    },

    async updateSettings (orgId, { groupRoles, defaultRole }) {
      const change = {
        ...groupRoles === undefined ? {} : { group_roles: JSON.stringify(groupRoles) },
        ...defaultRole === undefined ? {} : { default_role: defaultRole }
      }
      const row = await db.insertInto('scim_settings').values({
        org_id: toColumnText(orgId),
        group_roles: JSON.stringify(DEFAULT_SCIM_SETTINGS.groupRoles),
        default_role: DEFAULT_SCIM_SETTINGS.defaultRole,
        ...change
      }).onConflict((conflict) =>
        // Sets a column also for an empty change, because a conflict that does nothing returns no row.
        conflict.column('org_id').doUpdateSet({ org_id: toColumnText(orgId), ...change })
      ).returningAll().executeTakeFirstOrThrow()
      return { groupRoles: row.group_roles, defaultRole: row.default_role }
    },

    async standings (orgId, userIds) {
      if (userIds.length === 0) return []
      const rows = await db.selectFrom('scim_users as user')
        .innerJoin('memberships as membership', (join) =>
          join.onRef('membership.user_id', '=', 'user.user_id').onRef('membership.org_id', '=', 'user.org_id'))
        .leftJoin('scim_group_members as member', (join) =>
          join.onRef('member.user_id', '=', 'user.user_id').onRef('member.org_id', '=', 'user.org_id'))
        .leftJoin('scim_groups as group', 'group.id', 'member.group_id')
        .select(['user.user_id', 'membership.role', 'membership.disabled', 'group.id', 'group.display_name'])
        .where('user.org_id', '=', toColumnText(orgId)).where('user.user_id', 'in', userIds.map(toColumnText))
        .orderBy('group.seq').execute()
      const found = new Map<string, ScimStanding>()
      for (const { user_id: userId, role, disabled, id, display_name: displayName } of rows) {
        const standing = found.get(userId) ?? { userId: fromColumnText(userId), role, disabled, groups: [] }
        found.set(userId, standing)
        if (id === null || displayName === null) continue
        standing.groups.push({ id: fromColumnText(id), displayName: fromColumnText(displayName) })
      }
      return [...found.values()]
    }
  }
}
