import type { FastifyInstance, FastifyRequest } from 'fastify'

import { FORBIDDEN, NOT_FOUND } from '../../../lib/errors.js'
import { ROLES } from '../../../contracts/token-store/index.js'
import type { Member, Role } from '../../../contracts/token-store/index.js'
import { mayGive } from '../../../plugins/token-store/limits.js'
import * as schemas from '../../../schemas/admin-users.js'
import type { MemberItem, MemberPatchBody } from '../../../schemas/admin-users.js'
import type { PageQuery } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { pageReply } from '../api/page-reply.js'
import { readPage } from '../api/page-request.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'

/** Registers the routes of the members of the caller's organisation. A member of another organisation is 404. */
export function memberRoutes (scope: FastifyInstance): void {
  const { members } = scope.tokenStore

  scope.get<{ Querystring: PageQuery }>(
    '/users',
    { schema: schemas.listUsersSchema, ...PERMISSIONS.readUsers },
    async function listUsers (request) {
      const { org_id: orgId } = adminOf(request)
      return pageReply(await readPage(request, (page) => members.list(orgId, page)), viewMember)
    }
  )

  scope.get(
    '/users/:id',
    { schema: schemas.readUserSchema, ...PERMISSIONS.readUsers },
    async function readUser (request): Promise<MemberItem> {
      return viewMember(orNotFound(await members.get(adminOf(request).org_id, idOf(request.params))))
    }
  )

  scope.patch<{ Body: MemberPatchBody }>(
    '/users/:id',
    { schema: schemas.patchUserSchema, ...PERMISSIONS.changeUsers },
    async function patchUser (request): Promise<MemberItem> {
      const { org_id: orgId, role: own } = adminOf(request)
      const id = otherUserOf(request)
      const { role } = request.body
      if (role !== undefined && !mayGive(own, role)) {
        throw new FORBIDDEN({ message: `Only an owner may give the role ${role}`, reason: own })
      }
      const before = orNotFound(await members.get(orgId, id))
      const after = orNotFound(await members.update(orgId, id, request.body, changeableBy(own)))
      const changes = changesOf(before, after)
      if (Object.keys(changes).length > 0) {
        audit(request, changes.disabled?.to === true ? 'user.disabled' : 'user.updated', id, changes)
      }
      return viewMember(after)
    }
  )

  scope.delete(
    '/users/:id',
    { schema: schemas.deleteUserSchema, ...PERMISSIONS.changeUsers, ...optionalBody },
    async function deleteUser (request, reply) {
      const { org_id: orgId, role: own } = adminOf(request)
      const id = otherUserOf(request)
      const { email, role } = orNotFound(await members.remove(orgId, id, changeableBy(own)))
      audit(request, 'user.deleted', id, { email, role })
      return reply.code(204).send()
    }
  )

  function audit (request: FastifyRequest, action: string, id: string, changes: Record<string, unknown>): void {
    scope.audit({ action, request, resourceType: 'user', resourceId: id, changes })
  }
}

export function viewMember ({ userId, email, role, disabled, createdAt, lastLoginAt }: Member): MemberItem {
  return {
    id: userId,
    email,
    role,
    disabled,
    created_at: new Date(createdAt).toISOString(),
    last_login_at: lastLoginAt === null ? null : new Date(lastLoginAt).toISOString()
  }
}

/** Returns the id in the path. Throws `FORBIDDEN` for the id of the caller. */
function otherUserOf (request: FastifyRequest): string {
  const id = idOf(request.params)
  if (id === adminOf(request).sub) {
    throw new FORBIDDEN({ message: 'You cannot change your own membership; ask another administrator' })
  }
  return id
}

/** Returns the roles of the members that a member of a role may change: only owners may change owners. */
export function changeableBy (role: Role): readonly Role[] {
  return ROLES.filter((other) => mayGive(role, other))
}

type Changes = Partial<Record<'role' | 'disabled', { from: unknown, to: unknown }>>

function changesOf (before: Member, after: Member): Changes {
  const changes: Changes = {}
  for (const name of ['role', 'disabled'] as const) {
    if (before[name] !== after[name]) changes[name] = { from: before[name], to: after[name] }
  }
  return changes
}

function orNotFound<Thing> (thing: Thing | null): Thing {
  if (thing === null) throw new NOT_FOUND()
  return thing
}
