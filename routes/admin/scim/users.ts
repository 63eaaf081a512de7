import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { ScimUser } from '../../../contracts/token-store/index.js'
import { scimUserSchemas as schemas } from '../../../schemas/scim.js'
import type { ScimListQuery, ScimPatchBody, ScimReadQuery, ScimResource, ScimUserBody } from '../../../schemas/scim.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { keyOf, orNotFound } from './context.js'
import { flatten, readUser } from './documents.js'
import { patchUser } from './patch-user.js'
import { provisioning } from './provisioning.js'
import { listReply, userQuery } from './queries.js'
import { includes, project, projectionOf, viewUser } from './resources.js'
import type { Locate } from './resources.js'

/** Registers the routes of users (RFC 7644, section 3). */
export function userRoutes (scope: FastifyInstance, locate: Locate): void {
  const { scim } = scope.tokenStore
  const { create, change, remove } = provisioning(scope)

  scope.get<{ Querystring: ScimListQuery }>(
    '/Users',
    { schema: schemas.list, ...PERMISSIONS.manageScim },
    async function listScimUsers (request) {
      const query = userQuery(request.query)
      const { data, total } = await scim.listUsers(keyOf(request).orgId, query)
      return listReply(await views(request, data, request.query), total, query.offset + 1)
    }
  )

  scope.post<{ Body: ScimUserBody, Querystring: ScimReadQuery }>(
    '/Users',
    { schema: schemas.create, ...PERMISSIONS.manageScim },
    async function createScimUser (request, reply) {
      const user = await create(request, readUser(request.body))
      reply.code(201).header('Location', locate(request, `/Users/${user.userId}`))
      return await view(request, user, request.query)
    }
  )

  scope.get<{ Querystring: ScimReadQuery }>(
    '/Users/:id',
    { schema: schemas.read, ...PERMISSIONS.manageScim },
    async function readScimUser (request) {
      const user = orNotFound(await scim.getUser(keyOf(request).orgId, idOf(request.params)))
      return await view(request, user, request.query)
    }
  )

  scope.put<{ Body: ScimUserBody, Querystring: ScimReadQuery }>(
    '/Users/:id',
    { schema: schemas.replace, ...PERMISSIONS.manageScim },
    async function replaceScimUser (request) {
      const { body } = request
      const user = await change(request, idOf(request.params), ({ active }) => readUser(body, active))
      return await view(request, user, request.query)
    }
  )

  scope.patch<{ Body: ScimPatchBody, Querystring: ScimReadQuery }>(
    '/Users/:id',
    { schema: schemas.patch, ...PERMISSIONS.manageScim },
    async function patchScimUser (request) {
      const { Operations: operations } = request.body
      const user = await change(request, idOf(request.params), (present) =>
        readUser(patchUser(flatten(present), operations), present.active))
      return await view(request, user, request.query)
    }
  )

  scope.delete(
    '/Users/:id',
    { schema: schemas.remove, ...PERMISSIONS.manageScim, ...optionalBody },
    async function deleteScimUser (request, reply) {
      await remove(request, idOf(request.params))
      return reply.code(204).send()
    }
  )

  async function view (request: FastifyRequest, user: ScimUser, query: ScimReadQuery): Promise<ScimResource> {
    const [resource] = await views(request, [user], query)
    return resource ?? {}
  }

  async function views (
    request: FastifyRequest,
    users: readonly ScimUser[],
    query: ScimReadQuery
  ): Promise<ScimResource[]> {
    const projection = projectionOf(query)
    const ids = includes(projection, 'groups') ? users.map(({ userId }) => userId) : []
    const standings = await scim.standings(keyOf(request).orgId, ids)
    const groups = new Map(standings.map((standing) => [standing.userId, standing.groups]))
    return users.map((user) => {
      const location = locate(request, `/Users/${user.userId}`)
      return project(viewUser(user, groups.get(user.userId) ?? [], location), projection)
    })
  }
}
