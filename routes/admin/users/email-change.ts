import type { FastifyInstance } from 'fastify'

import { INVALID_REQUEST, NOT_FOUND } from '../../../lib/errors.js'
import { confirmEmailSchema, requestEmailSchema } from '../../../schemas/admin-users.js'
import type { EmailBody, EmailStatus, LinkBody } from '../../../schemas/admin-users.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'
import { invalidLink } from './links.js'
import { emailChangedMail, emailChangeMail } from './mails.js'
import type { UserRouteParts } from './parts.js'

/**
 * `POST /auth/email`: mails a link to the present and to the new address. An address that another account has gets the
 * same response; only the confirmation, by a reader of that mailbox, is refused.
 */
export function requestEmailRoute (scope: FastifyInstance, { links, mailer }: UserRouteParts): void {
  const { accountLinks } = scope.tokenStore
  const { checkPassword, checkEmailChange } = scope.adminLogins

  scope.post<{ Body: EmailBody }>(
    '/auth/email',
    { schema: requestEmailSchema, ...PERMISSIONS.changeOwnEmail },
    async function requestEmail (request, reply) {
      const { sub, email, sid } = adminOf(request)
      const newEmail = request.body.new_email.toLowerCase()
      if (newEmail === email) {
        const message = 'The new email must differ from the current one'
        throw new INVALID_REQUEST({ message, details: [{ path: '/new_email', message }] })
      }
      await checkPassword(request, email, request.body.current_password, () => `session.${sid}`)
      await checkEmailChange(sub, email)
      const present = links.create('email change')
      const next = links.create('email change')
      const { digest, expiresAt } = present
      const change = { userId: sub, newEmail, digest, newDigest: next.digest, expiresAt }
      if (!await accountLinks.startEmailChange(change)) throw new NOT_FOUND()
      scope.audit({
        action: 'auth.email_change_requested',
        request,
        resourceType: 'user',
        resourceId: sub,
        changes: { email: { from: email, to: newEmail } }
      })
      mailer.afterResponse(request, reply, async () => [
        emailChangeMail({ to: email, from: email, newEmail, link: present }),
        emailChangeMail({ to: newEmail, from: email, newEmail, link: next })
      ])
      return reply.code(202).send()
    }
  )
}

/** `POST /auth/email/confirm`: confirms one of the two links. */
export function confirmEmailRoute (scope: FastifyInstance, { links, mailer }: UserRouteParts): void {
  const { users, accountLinks } = scope.tokenStore

  scope.post<{ Body: LinkBody }>(
    '/auth/email/confirm',
    { schema: confirmEmailSchema, config: { gatehouse: { admin: false } } },
    async function confirmEmail (request, reply): Promise<EmailStatus> {
      const change = await accountLinks.confirmEmail(links.digestOf('email change', request.body.token))
      if (change === null) throw invalidLink('the change has ended')
      const { outcome, userId, from, to } = change
      if (outcome === 'changed') {
        scope.audit({
          action: 'auth.email_changed',
          request,
          orgId: (await users.get(userId))?.orgId,
          userId,
          userEmail: to,
          resourceType: 'user',
          resourceId: userId,
          changes: { email: { from, to } }
        })
        mailer.afterResponse(request, reply, async () => [emailChangedMail({ to: from, newEmail: to })])
      }
      return { status: outcome }
    }
  )
}
