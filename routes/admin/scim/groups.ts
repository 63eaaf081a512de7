import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { ScimGroup, ScimGroupChange, ScimGroupMember } from '../../../contracts/token-store/index.js'
import { scimGroupSchemas as schemas } from '../../../schemas/scim.js'
import type { ScimGroupBody, ScimListQuery, ScimPatchBody, ScimReadQuery, ScimResource } from '../../../schemas/scim.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { GROUP_ATTRIBUTES } from './attributes.js'
import { keyOf, orNotFound } from './context.js'
import { nameOf } from './documents.js'
import { groupChanges } from './group-changes.js'
import { memberIds, patchGroup } from './patch-group.js'
import { groupQuery, listReply } from './queries.js'
import { includes, project, projectionOf, viewGroup } from './resources.js'
import type { Locate } from './resources.js'
import { readAttributes } from './values.js'

/** Maximum number of members in one page of groups; a larger group is returned alone. */
const MAX_LISTED_MEMBERS = 10_000

/** Registers the routes of groups (RFC 7644, section 3). */
export function groupRoutes (scope: FastifyInstance, locate: Locate, quota: number): void {
  const { scim } = scope.tokenStore
  const { create, change, remove } = groupChanges(scope, quota)

  scope.get<{ Querystring: ScimListQuery }>(
    '/Groups',
    { schema: schemas.list, ...PERMISSIONS.manageScim },
    async function listScimGroups (request) {
      const query = groupQuery(request.query)
      const { data, total } = await scim.listGroups(keyOf(request).orgId, query)
      return listReply(await views(request, data, request.query), total, query.offset + 1)
    }
  )

  scope.post<{ Body: ScimGroupBody, Querystring: ScimReadQuery }>(
    '/Groups',
    { schema: schemas.create, ...PERMISSIONS.manageScim },
    async function createScimGroup (request, reply) {
      const { displayName, externalId, members } = readGroup(request.body)
      const group = await create(request, { displayName, externalId, members })
      reply.code(201).header('Location', locate(request, `/Groups/${group.id}`))
      return await view(request, group, request.query)
    }
  )

  scope.get<{ Querystring: ScimReadQuery }>(
    '/Groups/:id',
    { schema: schemas.read, ...PERMISSIONS.manageScim },
    async function readScimGroup (request) {
      const group = orNotFound(await scim.getGroup(keyOf(request).orgId, idOf(request.params)))
      return await view(request, group, request.query)
    }
  )

  scope.put<{ Body: ScimGroupBody, Querystring: ScimReadQuery }>(
    '/Groups/:id',
    { schema: schemas.replace, ...PERMISSIONS.manageScim },
    async function replaceScimGroup (request) {
      const { displayName, externalId, members } = readGroup(request.body)
      const replaced: ScimGroupChange = { displayName, externalId, members: { replace: true, add: members } }
      return await view(request, await change(request, idOf(request.params), replaced), request.query)
    }
  )

  scope.patch<{ Body: ScimPatchBody, Querystring: ScimReadQuery }>(
    '/Groups/:id',
    { schema: schemas.patch, ...PERMISSIONS.manageScim },
    async function patchScimGroup (request, reply) {
      await change(request, idOf(request.params), patchGroup(request.body.Operations))
      // Without a body, because a group may have thousands of members.
      return reply.code(204).send()
    }
  )

  scope.delete(
    '/Groups/:id',
    { schema: schemas.remove, ...PERMISSIONS.manageScim, ...optionalBody },
    async function deleteScimGroup (request, reply) {
      await remove(request, idOf(request.params))
      return reply.code(204).send()
    }
  )

  async function view (request: FastifyRequest, group: ScimGroup, query: ScimReadQuery): Promise<ScimResource> {
    const [resource] = await views(request, [group], query)
    return resource ?? {}
  }

  /** Returns the groups as resources; fewer of them if they have too many members. */
  async function views (
    request: FastifyRequest,
    groups: readonly ScimGroup[],
    query: ScimReadQuery
  ): Promise<ScimResource[]> {
    const projection = projectionOf(query)
    const resources: ScimResource[] = []
    let listed = 0
    for (const group of groups) {
      let members: ScimGroupMember[] | undefined
      if (includes(projection, 'members')) {
        if (listed > MAX_LISTED_MEMBERS) break
        members = (await scim.groupMembers(group.orgId, [group.id])).get(group.id) ?? []
        listed += members.length
      }
      resources.push(project(viewGroup(group, members, locate(request, `/Groups/${group.id}`)), projection))
    }
    return resources
  }
}

function readGroup (body: ScimGroupBody): { displayName: string, externalId: string | null, members: string[] } {
  const { members: _members, ...names } = GROUP_ATTRIBUTES
  const { displayName, externalId } = readAttributes(body, names)
  return {
    displayName: nameOf('displayName', displayName),
    externalId: externalId === undefined ? null : nameOf('externalId', externalId),
    members: memberIds(body.members)
  }
}
