import type { FastifyInstance, FastifyRequest } from 'fastify'

import { FORBIDDEN, NOT_FOUND } from '../../../lib/errors.js'
import type { Invitation } from '../../../contracts/token-store/index.js'
import { mayGive } from '../../../plugins/token-store/limits.js'
import * as schemas from '../../../schemas/admin-users.js'
import type { InvitationItem, InviteBody } from '../../../schemas/admin-users.js'
import type { PageQuery } from '../../../schemas/page.js'
import { adminOf } from '../admin-scope.js'
import { pageReply } from '../api/page-reply.js'
import { readPage } from '../api/page-request.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import type { Link } from './links.js'
import { invitationMail } from './mails.js'
import { changeableBy } from './members.js'
import type { UserRouteParts } from './parts.js'

const MAIL_FAILED = 'The invitation is stored, but its mail could not be sent; resend it later'

/** Registers the routes with which administrators mail invitations. */
export function inviteRoutes (scope: FastifyInstance, { links, mailer }: UserRouteParts): void {
  const { invitations, organisations } = scope.tokenStore

  scope.post<{ Body: InviteBody }>(
    '/users/invite',
    { schema: schemas.inviteSchema, ...PERMISSIONS.changeUsers },
    async function inviteUser (request, reply) {
      const { org_id: orgId, sub, role: own } = adminOf(request)
      const { email, role } = request.body
      assertMayGive(request, role)
      const link = links.create('invitation')
      const invitation = await invitations.create(
        { orgId, email, role, invitedBy: sub, ...stored(link) },
        changeableBy(own)
      )
      audit(scope, request, 'user.invited', invitation)
      await mail(request, invitation, link)
      reply.code(201)
      return viewInvitation(invitation)
    }
  )

  scope.post(
    '/users/invitations/:id/resend',
    { schema: schemas.resendInvitationSchema, ...PERMISSIONS.changeUsers, ...optionalBody },
    async function resendInvitation (request) {
      const { org_id: orgId, sub } = adminOf(request)
      const id = idOf(request.params)
      assertMayGive(request, orNotFound(await invitations.get(orgId, id)).role)
      const link = links.create('invitation')
      const invitation = orNotFound(await invitations.renew(orgId, id, { invitedBy: sub, ...stored(link) }))
      audit(scope, request, 'user.invitation_resent', invitation)
      await mail(request, invitation, link)
      return viewInvitation(invitation)
    }
  )

  async function mail (request: FastifyRequest, { orgId, email: to, role }: Invitation, link: Link): Promise<void> {
    const organisation = (await organisations.get(orgId))?.name ?? orgId
    const { email: inviter } = adminOf(request)
    await mailer.send(request, invitationMail({ to, inviter, organisation, role, link }), MAIL_FAILED)
  }
}

/** Registers the routes with which administrators list and withdraw invitations. */
export function invitationRoutes (scope: FastifyInstance): void {
  const { invitations } = scope.tokenStore

  scope.get<{ Querystring: PageQuery }>(
    '/users/invitations',
    { schema: schemas.listInvitationsSchema, ...PERMISSIONS.readUsers },
    async function listInvitations (request) {
      const { org_id: orgId } = adminOf(request)
      return pageReply(await readPage(request, (page) => invitations.list(orgId, page)), viewInvitation)
    }
  )

  scope.delete(
    '/users/invitations/:id',
    { schema: schemas.deleteInvitationSchema, ...PERMISSIONS.withdrawInvitations, ...optionalBody },
    async function deleteInvitation (request, reply) {
      const { org_id: orgId } = adminOf(request)
      const id = idOf(request.params)
      assertMayGive(request, orNotFound(await invitations.get(orgId, id)).role)
      audit(scope, request, 'user.invitation_withdrawn', orNotFound(await invitations.delete(orgId, id)))
      return reply.code(204).send()
    }
  )
}

/** Returns the properties of a link that the store keeps. */
function stored ({ digest, expiresAt }: Link): Pick<Link, 'digest' | 'expiresAt'> {
  return { digest, expiresAt }
}

function assertMayGive (request: FastifyRequest, role: Invitation['role']): void {
  const { role: own } = adminOf(request)
  if (!mayGive(own, role)) throw new FORBIDDEN({ message: `Only an owner may give the role ${role}`, reason: own })
}

function viewInvitation ({ id, email, role, invitedBy, createdAt, expiresAt }: Invitation): InvitationItem {
  return {
    id,
    email,
    role,
    invited_by: invitedBy,
    created_at: new Date(createdAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString()
  }
}

function orNotFound<Thing> (thing: Thing | null): Thing {
  if (thing === null) throw new NOT_FOUND()
  return thing
}

function audit (
  scope: FastifyInstance,
  request: FastifyRequest,
  action: string,
  { id, email, role }: Invitation
): void {
  scope.audit({ action, request, resourceType: 'invitation', resourceId: id, changes: { email, role } })
}
