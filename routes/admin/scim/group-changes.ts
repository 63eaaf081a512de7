import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { ScimGroup, ScimGroupChange, ScimStanding } from '../../../contracts/token-store/index.js'
import { keyOf, orNotFound } from './context.js'
import { conflictsAs } from './errors.js'
import { assertMayChangeRoles, groupRolesOf, roleOfGroup, settleRoles } from './roles.js'

/** The changes of groups, which also change the roles of their members. */
export interface GroupChanges {
  create (
    request: FastifyRequest,
    group: { displayName: string, externalId: string | null, members: readonly string[] }
  ): Promise<ScimGroup>
  change (request: FastifyRequest, id: string, change: ScimGroupChange): Promise<ScimGroup>
  remove (request: FastifyRequest, id: string): Promise<void>
}

/** @param quota maximum number of groups of an organisation */
export function groupChanges (scope: FastifyInstance, quota: number): GroupChanges {
  const { scim } = scope.tokenStore

  /** Returns the present members of a group, and the users whom a change names. */
  async function affectedBy (orgId: string, id: string, { add = [], remove = [] }: NonNullable<ScimGroupChange['members']>) {
    const present = (await scim.groupMembers(orgId, [id])).get(id) ?? []
    const ids = new Set([...present.map(({ userId }) => userId), ...add, ...remove])
    return { present: new Set(present.map(({ userId }) => userId)), standings: await scim.standings(orgId, [...ids]) }
  }

  function audit (request: FastifyRequest, action: string, { id, displayName }: ScimGroup, changes: object): void {
    const details = { display_name: displayName, ...changes }
    scope.audit({ action, request, resourceType: 'group', resourceId: id, changes: details })
  }

  return {
    async create (request, { displayName, externalId, members }) {
      const key = keyOf(request)
      const { orgId } = key
      const roles = groupRolesOf(await scim.settings(orgId))
      const givesRole = roleOfGroup(roles, displayName) !== undefined
      if (givesRole) {
        assertMayChangeRoles(roles, key.role, await scim.standings(orgId, members), (standing) =>
          [...namesOf(standing), displayName])
      }
      const group = await conflictsAs('uniqueness', scim.createGroup({ orgId, displayName, externalId, members, quota }))
      audit(request, 'group.created', group, { members: members.length })
      if (givesRole) await conflictsAs('mutability', settleRoles(scope, request, key, roles, members))
      return group
    },

    async change (request, id, change) {
      const key = keyOf(request)
      const { orgId } = key
      const before = orNotFound(await scim.getGroup(orgId, id))
      const { displayName = before.displayName, members = {} } = change
      const roles = groupRolesOf(await scim.settings(orgId))
      const givesRole = [before.displayName, displayName].some((name) => roleOfGroup(roles, name) !== undefined)
      if (givesRole) {
        const { present, standings } = await affectedBy(orgId, id, members)
        const { replace = false } = members
        const [add, remove] = [new Set(members.add), new Set(members.remove)]
        assertMayChangeRoles(roles, key.role, standings, (standing) => {
          const { userId } = standing
          const isMember = add.has(userId) || (!replace && present.has(userId) && !remove.has(userId))
          return [...namesOf(standing, id), ...isMember ? [displayName] : []]
        })
      }
      const { group, touched } = orNotFound(await conflictsAs('uniqueness', scim.changeGroup(orgId, id, change)))
      audit(request, 'group.updated', group, {
        ...group.displayName === before.displayName ? {} : { renamed_from: before.displayName },
        touched_users: touched.length
      })
      if (givesRole) await conflictsAs('mutability', settleRoles(scope, request, key, roles, touched))
      return group
    },

    async remove (request, id) {
      const key = keyOf(request)
      const { orgId } = key
      const before = orNotFound(await scim.getGroup(orgId, id))
      const roles = groupRolesOf(await scim.settings(orgId))
      const givesRole = roleOfGroup(roles, before.displayName) !== undefined
      if (givesRole) {
        const { standings } = await affectedBy(orgId, id, {})
        assertMayChangeRoles(roles, key.role, standings, (standing) => namesOf(standing, id))
      }
      const { group, touched } = orNotFound(await scim.deleteGroup(orgId, id))
      audit(request, 'group.deleted', group, { members: touched.length })
      if (givesRole) await conflictsAs('mutability', settleRoles(scope, request, key, roles, touched))
    }
  }
}

/** Returns the display names of a user's groups, except of one group. */
function namesOf ({ groups }: ScimStanding, except?: string): string[] {
  return groups.filter(({ id }) => id !== except).map(({ displayName }) => displayName)
}
