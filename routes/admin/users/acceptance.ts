import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { AcceptingAccount, FoundInvitation } from '../../../contracts/token-store/index.js'
import { acceptInvitationSchema, inspectInvitationSchema } from '../../../schemas/admin-users.js'
import type { AcceptBody, InspectedInvitation, LinkBody, MemberItem } from '../../../schemas/admin-users.js'
import { invalidLink } from './links.js'
import { viewMember } from './members.js'
import type { UserRouteParts } from './parts.js'

/** Registers the routes for a person with the link of an invitation. */
export function acceptanceRoutes (scope: FastifyInstance, { links }: UserRouteParts): void {
  const { invitations } = scope.tokenStore
  const { passwords, checkPassword, checkNewPassword } = scope.adminLogins
  const config = { gatehouse: { admin: false } }

  scope.post<{ Body: LinkBody }>(
    '/invitations/inspect',
    { schema: inspectInvitationSchema, config },
    async function inspectInvitation (request): Promise<InspectedInvitation> {
      const [, { invitation, orgName, userId }] = await find(request.body.token)
      const { email, role, expiresAt } = invitation
      return {
        email,
        organisation: orgName,
        role,
        expires_at: new Date(expiresAt).toISOString(),
        has_account: userId !== null
      }
    }
  )

  scope.post<{ Body: AcceptBody }>(
    '/invitations/accept',
    { schema: acceptInvitationSchema, config },
    async function acceptInvitation (request, reply): Promise<MemberItem> {
      const { token, password } = request.body
      const [digest, { invitation, userId }] = await find(token)
      const account = await accountOf(request, invitation.email, userId, password)
      const member = await invitations.accept(digest, account)
      if (member === null) throw invalidLink('the invitation has ended')
      scope.audit({
        action: 'user.joined',
        request,
        orgId: member.orgId,
        userId: member.userId,
        userEmail: member.email,
        resourceType: 'user',
        resourceId: member.userId,
        changes: { invitation: invitation.id, role: member.role }
      })
      reply.code(201)
      return viewMember(member)
    }
  )

  async function find (token: string): Promise<[digest: string, found: FoundInvitation]> {
    const digest = links.digestOf('invitation', token)
    const found = await invitations.find(digest)
    if (found === null) throw invalidLink('the invitation has ended')
    return [digest, found]
  }

  /** Sets the password of a new account, or checks that of an existing account as a login does. */
  async function accountOf (
    request: FastifyRequest,
    email: string,
    userId: string | null,
    password: string
  ): Promise<AcceptingAccount> {
    if (userId !== null) return { userId: (await checkPassword(request, email, password, () => null)).id }
    await checkNewPassword(request, password, email, 'password')
    return { passwordHash: await passwords.hash(password) }
  }
}
