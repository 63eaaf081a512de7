import type { FastifyInstance } from 'fastify'

import { INVALID_CREDENTIALS, INVALID_REQUEST } from '../../../lib/errors.js'
import type { Passwords } from '../../../lib/passwords/index.js'
import { passwordSchema } from '../../../schemas/admin-auth.js'
import type { PasswordBody } from '../../../schemas/admin-auth.js'
import { adminOf } from '../admin-scope.js'
import type { PasswordCheck } from './password-check.js'

/** `POST /password`: whoever holds an access token alone can neither change the password, nor guess at it without end, nor lock the account. */
export async function passwordRoute (scope: FastifyInstance, passwords: Passwords, check: PasswordCheck): Promise<void> {
  const { users } = scope.tokenStore
  // Its word lists are for this route alone.
  const { passwordFault } = await import('../../../lib/passwords/policy.js')

  scope.post<{ Body: PasswordBody }>('/password', { schema: passwordSchema, config: { gatehouse: { admin: true } } }, async function changePassword (request, reply) {
    const { sub, email, sid } = adminOf(request)
    const { current_password, new_password } = request.body
    const fault = current_password === new_password ? 'The new password must differ from the current one' : passwordFault(new_password, email)
    if (fault !== null) throw new INVALID_REQUEST({ message: fault, details: [{ path: '/new_password', message: fault }] })
    const { passwordHash } = await check(request, email, current_password, () => `session.${sid}`)
    const changed = await users.replacePassword(sub, { from: passwordHash, to: await passwords.hash(new_password), endSessionsBut: sid })
    if (!changed) throw new INVALID_CREDENTIALS({ reason: 'the password was changed meanwhile' })
    scope.audit({ action: 'auth.password_changed', request, resourceType: 'user', resourceId: sub })
    return reply.code(204).send()
  })
}
