import type { FastifyRequest } from 'fastify'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Passwords } from '../../../lib/passwords/index.js'

/**
 * Throws `INVALID_REQUEST` if a new password is too weak, or in a list of breached passwords. `property` names it in
 * the body.
 */
export type NewPasswordCheck = (
  request: FastifyRequest,
  password: string,
  email: string,
  property: string
) => Promise<void>

/** Creates the check of new passwords. */
export function newPasswordCheck ({ isBreached, contextWords }: Passwords): NewPasswordCheck {
  return async function checkNewPassword (request, password, email, property) {
    // Loaded with the first new password: the word lists take 0.5 s of a start.
    const { passwordProblem } = await import('../../../lib/passwords/policy.js')
    const weakness = passwordProblem(password, email, contextWords)
    if (weakness !== null) throw refusal(property, weakness)
    try {
      if (isBreached === undefined || !await isBreached(password)) return
    } catch (error) {
      // Users must be able to change a password while the list is away.
      request.log.warn({ err: error }, 'a new password was not compared with breached passwords')
      return
    }
    throw refusal(property, 'The password is in a list of breached passwords; choose another one')
  }
}

/** Creates the error for a new password that is refused. */
export function refusal (property: string, message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ message, details: [{ path: `/${property}`, message }] })
}
