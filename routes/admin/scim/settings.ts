import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { ScimSettings } from '../../../contracts/token-store/index.js'
import { patchScimSettingsSchema, readScimSettingsSchema } from '../../../schemas/admin-scim.js'
import type { ScimSettingsItem, ScimSettingsPatch } from '../../../schemas/admin-scim.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'
import { groupRolesOf, roleOfGroup, settleRoles } from './roles.js'
import type { GroupRoles } from './roles.js'

/**
 * Registers the routes of administrators that set the roles of provisioned users.
 *
 * @param basePath where the routes of directories are
 */
export function settingsRoutes (scope: FastifyInstance, basePath: string): void {
  const { scim } = scope.tokenStore

  scope.get(
    '/scim',
    { schema: readScimSettingsSchema, ...PERMISSIONS.readScim },
    async function readScimSettings (request): Promise<ScimSettingsItem> {
      return viewSettings(await scim.settings(adminOf(request).org_id))
    }
  )

  scope.patch<{ Body: ScimSettingsPatch }>(
    '/scim',
    { schema: patchScimSettingsSchema, ...PERMISSIONS.changeScim },
    async function patchScimSettings (request): Promise<ScimSettingsItem> {
      const { org_id: orgId, role } = adminOf(request)
      const { group_roles: groupRoles, default_role: defaultRole } = request.body
      assertNoRepeats(groupRoles ?? [])
      const before = await scim.settings(orgId)
      const after = await scim.updateSettings(orgId, {
        ...groupRoles === undefined ? {} : { groupRoles },
        ...defaultRole === undefined ? {} : { defaultRole }
      })
      const changes = { group_roles: after.groupRoles, default_role: after.defaultRole }
      scope.audit({ action: 'scim.updated', request, resourceType: 'organisation', resourceId: orgId, changes })
      const [old, now] = [groupRolesOf(before), groupRolesOf(after)]
      await settleRoles(scope, request, { orgId, role }, now, await membersOfChanged(orgId, old, now))
      return viewSettings(after)
    }
  )

  function viewSettings ({ groupRoles, defaultRole }: ScimSettings): ScimSettingsItem {
    return { group_roles: [...groupRoles], default_role: defaultRole, base_path: basePath }
  }

  /** Returns the ids of the members of all groups whose role has changed. */
  async function membersOfChanged (orgId: string, old: GroupRoles, now: GroupRoles): Promise<string[]> {
    const names = [...old.byGroup.keys(), ...now.byGroup.keys()].filter((name) =>
      roleOfGroup(old, name) !== roleOfGroup(now, name)
    )
    const ids = new Set<string>()
    for (const value of new Set(names)) {
      const filter = [{ field: 'displayName', operator: 'eq', value } as const]
      const [group] = (await scim.listGroups(orgId, { filter, offset: 0, limit: 1 })).data
      if (group === undefined) continue
      const members = (await scim.groupMembers(orgId, [group.id])).get(group.id) ?? []
      for (const { userId } of members) ids.add(userId)
    }
    return [...ids]
  }
}

function assertNoRepeats (groupRoles: ReadonlyArray<{ group: string }>): void {
  const seen = new Set<string>()
  for (const [at, { group }] of groupRoles.entries()) {
    const key = group.toLowerCase()
    if (seen.has(key)) {
      throw new INVALID_REQUEST({ details: [{ path: `/group_roles/${at}/group`, message: 'must not occur twice' }] })
    }
    seen.add(key)
  }
}
