import type { FastifyInstance, FastifyRequest } from 'fastify'

import { ROLES } from '../../../contracts/token-store/index.js'
import type { Role, ScimSettings, ScimStanding } from '../../../contracts/token-store/index.js'
import { changeableBy } from '../users/members.js'
import { assertNotAbove } from './context.js'

/** Settings with the roles by the lower-case display name of a group. */
export interface GroupRoles {
  byGroup: ReadonlyMap<string, Role>
  defaultRole: Role
}

export function groupRolesOf ({ groupRoles, defaultRole }: ScimSettings): GroupRoles {
  return { byGroup: new Map(groupRoles.map(({ group, role }) => [group.toLowerCase(), role])), defaultRole }
}

/** Returns the role of a group; `undefined` for a group that gives no role. */
export function roleOfGroup ({ byGroup }: GroupRoles, displayName: string): Role | undefined {
  return byGroup.get(displayName.toLowerCase())
}

/** Returns the highest role of groups, or the default role. */
export function roleFor (roles: GroupRoles, displayNames: readonly string[]): Role {
  const given = displayNames.map((name) => roleOfGroup(roles, name))
  return ROLES.find((role) => given.includes(role)) ?? roles.defaultRole
}

/**
 * Throws `FORBIDDEN` if a change of groups would change a role that is above the role of the caller, or give such a
 * role. `namesAfter` returns the groups of a user after the change.
 */
export function assertMayChangeRoles (
  roles: GroupRoles,
  caller: Role,
  standings: readonly ScimStanding[],
  namesAfter: (standing: ScimStanding) => string[]
): void {
  for (const standing of standings) {
    const after = roleFor(roles, namesAfter(standing))
    if (after === standing.role) continue
    assertNotAbove(standing.role, caller)
    assertNotAbove(after, caller)
  }
}

// Each round repeats the changes that concurrent changes of groups have overtaken.
const MAX_ROUNDS = 5

/**
 * Gives users the role of their groups, until a read shows no other role: the roles are right also after concurrent
 * changes. A user whose role may not change does not keep the others from theirs; rejects afterwards.
 */
export async function settleRoles (
  scope: FastifyInstance,
  request: FastifyRequest,
  { orgId, role: caller }: { orgId: string, role: Role },
  roles: GroupRoles,
  userIds: readonly string[]
): Promise<void> {
  const { scim, members } = scope.tokenStore
  const refused = new Map<string, unknown>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const standings = await scim.standings(orgId, userIds)
    const wrong = standings.flatMap(({ userId, role, groups }) => {
      const to = roleFor(roles, groups.map(({ displayName }) => displayName))
      return to === role || refused.has(userId) ? [] : [{ userId, from: role, to }]
    })
    if (wrong.length === 0) break
    for (const { userId, from, to } of wrong) {
      try {
        assertNotAbove(to, caller)
        const changed = await members.update(orgId, userId, { role: to }, changeableBy(caller))
        if (changed === null) continue
        const changes = { role: { from, to } }
        scope.audit({ action: 'user.updated', request, resourceType: 'user', resourceId: userId, changes })
      } catch (error) {
        refused.set(userId, error)
      }
    }
  }
  const [error] = refused.values()
  if (error !== undefined) throw error
}
