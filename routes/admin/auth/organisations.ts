import type { FastifyInstance } from 'fastify'

import { FORBIDDEN, INVALID_CREDENTIALS, INVALID_TOKEN, NOT_FOUND } from '../../../lib/errors.js'
import { listOrganisationsSchema, switchSchema } from '../../../schemas/admin-auth.js'
import type { OrganisationItem, SwitchBody } from '../../../schemas/admin-auth.js'
import type { PageReply } from '../../../schemas/page.js'
import type { Membership } from '../../../contracts/token-store/index.js'
import { adminOf } from '../admin-scope.js'
import type { StartSession } from './token-pairs.js'

const config = { gatehouse: { admin: true } }

/** Registers the routes with which administrators list their organisations and switch between them. */
export function organisationRoutes (scope: FastifyInstance, start: StartSession): void {
  const { members, organisations, sessions, users } = scope.tokenStore

  scope.get(
    '/organisations',
    { schema: listOrganisationsSchema, config },
    async function listOrganisations (request): Promise<PageReply<OrganisationItem>> {
      const { sub, org_id, providerId } = adminOf(request)
      // The provider of one organisation need not learn where else a person belongs.
      const isListed = ({ orgId, disabled }: Membership) => !disabled && (providerId === null || orgId === org_id)
      const data = (await members.ofUser(sub)).filter(isListed).map(({ orgId, orgName, role }) => ({
        id: orgId,
        name: orgName,
        role,
        current: orgId === org_id
      }))
      return { data, next_cursor: null, has_more: false }
    }
  )

  scope.post<{ Body: SwitchBody }>(
    '/switch',
    { schema: switchSchema, config },
    async function switchOrganisation (request) {
      const { sub, sid, mfaAt, providerId } = adminOf(request)
      const { org_id: orgId } = request.body
      if (providerId !== null) {
        throw new FORBIDDEN({
          message: 'A session of an identity provider belongs to its organisation alone; log in to the other one',
          reason: `session of ${providerId}`
        })
      }
      const [user, organisation] = [await users.get(sub, orgId), await organisations.get(orgId)]
      if (user === null || user.disabled || organisation === null) throw new NOT_FOUND()
      if (organisation.mfa === 'required' && mfaAt === null) {
        throw new FORBIDDEN({ message: 'This organisation requires a second factor; log in to it' })
      }
      const access = await sessions.access(sid)
      if (access === null) throw new INVALID_TOKEN({ reason: 'the session has ended' })
      // The new session lives only if this call ended the old session: of several calls at once, one succeeds.
      const pair = await start(request, user, {
        mfaAt,
        endsAt: access.endsAt,
        isStillValid: () => sessions.end(sid, sub),
        audit: { action: 'auth.switched' }
      }).catch((error: unknown) => {
        throw error instanceof INVALID_CREDENTIALS ? new INVALID_TOKEN({ cause: error }) : error
      })
      // Neither trail names the other organisation: its members need not learn where else a person belongs.
      scope.audit({
        action: 'auth.logout',
        request,
        resourceType: 'session',
        resourceId: sid,
        changes: { reason: 'switched' }
      })
      return pair
    }
  )
}
