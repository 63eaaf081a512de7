import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../../lib/errors.js'
import type { Identity } from '../../../contracts/token-store/index.js'
import { ssoSchemas } from '../../../schemas/admin-sso.js'
import type { IdentityItem } from '../../../schemas/admin-sso.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { changeableBy } from '../users/members.js'

/** Registers the routes of the identities of the organisation's members. */
export function identityRoutes (scope: FastifyInstance): void {
  const { identities, members } = scope.tokenStore

  scope.get(
    '/users/:id/identities',
    { schema: ssoSchemas.listIdentities, ...PERMISSIONS.readUsers },
    async function listIdentities (request): Promise<{ data: IdentityItem[] }> {
      const { org_id: orgId } = adminOf(request)
      const id = idOf(request.params)
      if (await members.get(orgId, id) === null) throw new NOT_FOUND()
      return { data: (await identities.ofUser(orgId, id)).map(viewIdentity) }
    }
  )

  scope.delete(
    '/users/:id/identities/:provider_id',
    { schema: ssoSchemas.unlinkIdentity, ...PERMISSIONS.changeUsers, ...optionalBody },
    async function unlinkIdentity (request, reply) {
      const { org_id: orgId, role } = adminOf(request)
      const id = idOf(request.params)
      const providerId = idOf(request.params, 'provider_id')
      const member = await members.get(orgId, id)
      if (member === null || !changeableBy(role).includes(member.role)) throw new NOT_FOUND()
      if (!await identities.unlink(orgId, id, providerId)) throw new NOT_FOUND()
      scope.audit({
        action: 'user.identity_unlinked',
        request,
        resourceType: 'user',
        resourceId: id,
        changes: { provider_id: providerId, email: member.email }
      })
      return reply.code(204).send()
    }
  )
}

function viewIdentity ({ providerId, subject, createdAt, lastLoginAt }: Identity): IdentityItem {
  return {
    provider_id: providerId,
    subject,
    created_at: new Date(createdAt).toISOString(),
    last_login_at: new Date(lastLoginAt).toISOString()
  }
}
