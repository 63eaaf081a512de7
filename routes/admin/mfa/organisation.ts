import type { FastifyInstance } from 'fastify'

import { CONFLICT, NOT_FOUND } from '../../../lib/errors.js'
import type { Organisation } from '../../../contracts/token-store/index.js'
import { mfaSchemas } from '../../../schemas/admin-mfa.js'
import type { OrganisationPatchBody, OrganisationSettings } from '../../../schemas/admin-mfa.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'

/** Registers the routes of the caller's organisation: its name, and whether it requires a second factor. */
export function organisationRoutes (scope: FastifyInstance): void {
  const { organisations } = scope.tokenStore

  scope.get(
    '/organisation',
    { schema: mfaSchemas.readOrganisation, ...PERMISSIONS.readOrganisation },
    async function readOrganisation (request) {
      return viewOrNotFound(await organisations.get(adminOf(request).org_id))
    }
  )

  scope.patch<{ Body: OrganisationPatchBody }>(
    '/organisation',
    { schema: mfaSchemas.patchOrganisation, ...PERMISSIONS.changeOrganisation },
    async function patchOrganisation (request) {
      const { org_id: id, hasFactor } = adminOf(request)
      const { name, mfa } = request.body
      if (mfa === 'required' && !hasFactor) {
        throw new CONFLICT({ message: 'Set up a second factor for your own account first' })
      }
      const changes = { ...name === undefined ? {} : { name }, ...mfa === undefined ? {} : { mfa } }
      const settings = viewOrNotFound(await organisations.update(id, changes))
      scope.audit({ action: 'organisation.updated', request, resourceType: 'organisation', resourceId: id, changes })
      return settings
    }
  )
}

function viewOrNotFound (organisation: Organisation | null): OrganisationSettings {
  if (organisation === null) throw new NOT_FOUND()
  const { id, name, mfa, maxUsers, maxSources, createdAt } = organisation
  return {
    id,
    name,
    mfa,
    max_users: maxUsers,
    max_sources: maxSources,
    created_at: new Date(createdAt).toISOString()
  }
}
