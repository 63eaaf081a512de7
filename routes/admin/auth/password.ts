import type { FastifyInstance } from 'fastify'

import { INVALID_CREDENTIALS } from '../../../lib/errors.js'
import type { Passwords } from '../../../lib/passwords/index.js'
import { passwordSchema } from '../../../schemas/admin-auth.js'
import type { PasswordBody } from '../../../schemas/admin-auth.js'
import { adminOf } from '../admin-scope.js'
import { refusal } from './new-password.js'
import type { NewPasswordCheck } from './new-password.js'
import type { PasswordCheck } from './password-check.js'

export interface PasswordRouteParts {
  passwords: Passwords
  check: PasswordCheck
  checkNew: NewPasswordCheck
}

/**
 * `POST /password`: changes the password and ends the other sessions. It needs the current password, and counts
 * failures per session, so that a stolen access token can neither guess the password without limit nor lock the
 * account.
 */
export function passwordRoute (
  scope: FastifyInstance,
  { passwords, check, checkNew }: PasswordRouteParts
): void {
  const { users } = scope.tokenStore

  scope.post<{ Body: PasswordBody }>(
    '/password',
    { schema: passwordSchema, config: { gatehouse: { admin: true } } },
    async function changePassword (request, reply) {
      const { sub, email, sid } = adminOf(request)
      const { current_password, new_password } = request.body
      if (current_password === new_password) {
        throw refusal('new_password', 'The new password must differ from the current one')
      }
      await checkNew(request, new_password, email, 'new_password')
      const { passwordHash } = await check(request, email, current_password, () => `session.${sid}`)
      const changed = await users.replacePassword(sub, {
        from: passwordHash,
        to: await passwords.hash(new_password),
        endSessionsBut: sid
      })
      if (!changed) throw new INVALID_CREDENTIALS({ reason: 'the password has changed since it was checked' })
      scope.audit({
        action: 'auth.password_changed',
        request,
        resourceType: 'user',
        resourceId: sub,
        changes: { ended: 'other sessions', reason: 'password_changed' }
      })
      return reply.code(204).send()
    }
  )
}
