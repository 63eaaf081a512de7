import type { FastifyInstance, FastifyRequest } from 'fastify'

import { requestNetwork } from '../../../lib/http/client-address.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { User } from '../../../contracts/token-store/index.js'
import { loginSubject } from '../../../plugins/token-store/login-subject.js'
import { confirmResetSchema, requestResetSchema } from '../../../schemas/admin-users.js'
import type { ConfirmResetBody, PasswordResetBody } from '../../../schemas/admin-users.js'
import { hmacSha256 } from '../../../signing/digest.js'
import { limitBy } from '../admin-scope.js'
import { invalidLink } from './links.js'
import type { MailMessage } from './mailer.js'
import { passwordChangedMail, passwordResetMail } from './mails.js'
import type { UserRouteParts } from './parts.js'

const config = { gatehouse: { admin: false } }

/**
 * `POST /auth/password-reset`: mails a link. The response and the work before it are the same for an unknown email.
 */
export async function requestResetRoute (
  scope: FastifyInstance,
  { links, mailer }: UserRouteParts,
  limit: RateLimitOptions
): Promise<void> {
  const { users, accountLinks } = scope.tokenStore
  const [emailKey] = scope.adminTokens.keysFor('emails')
  await limitBy(scope, 'reset-address', limit, requestNetwork)
  await limitBy(scope, 'reset-email', limit, (request) =>
    hmacSha256(emailKey, (request.body as PasswordResetBody).email.toLowerCase(), 'hex'), 'preHandler')

  scope.post<{ Body: PasswordResetBody }>(
    '/auth/password-reset',
    { schema: requestResetSchema, config },
    async function requestReset (request, reply) {
      const user = await users.findByEmail(request.body.email)
      mailer.afterResponse(request, reply, () => mailsFor(request, user))
      return reply.code(202).send()
    }
  )

  /** A user who is disabled in every organisation gets no mail. */
  async function mailsFor (request: FastifyRequest, user: User | null): Promise<MailMessage[]> {
    if (user === null || user.disabled) return []
    const link = links.create('password reset')
    const { digest, expiresAt } = link
    if (!await accountLinks.startReset({ userId: user.id, digest, expiresAt })) return []
    audit(scope, request, 'auth.password_reset_requested', user)
    return [passwordResetMail({ to: user.email, link })]
  }
}

/** `POST /auth/password-reset/confirm`: sets the password. It starts no session, so a second factor stays required. */
export function confirmResetRoute (
  scope: FastifyInstance,
  { links, mailer }: UserRouteParts
): void {
  const { users, accountLinks } = scope.tokenStore
  const { passwords, checkNewPassword } = scope.adminLogins

  scope.post<{ Body: ConfirmResetBody }>(
    '/auth/password-reset/confirm',
    { schema: confirmResetSchema, config },
    async function confirmReset (request, reply) {
      const { token, new_password } = request.body
      const digest = links.digestOf('password reset', token)
      const found = await accountLinks.findReset(digest)
      if (found === null) throw invalidLink('the reset has ended')
      await checkNewPassword(request, new_password, found.email, 'new_password')
      const account = await accountLinks.finishReset(digest, await passwords.hash(new_password))
      if (account === null) throw invalidLink('the reset has ended')
      await users.unlock(loginSubject(account.email))
      const user = await users.get(account.userId)
      if (user !== null) audit(scope, request, 'auth.password_reset', user)
      mailer.afterResponse(request, reply, async () => [passwordChangedMail(account.email)])
      return reply.code(204).send()
    }
  )
}

function audit (
  scope: FastifyInstance,
  request: FastifyRequest,
  action: string,
  { id, orgId, email }: Pick<User, 'id' | 'orgId' | 'email'>
): void {
  scope.audit({ action, request, orgId, userId: id, userEmail: email, resourceType: 'user', resourceId: id })
}
