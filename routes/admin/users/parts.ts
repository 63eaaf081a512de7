import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Links } from './links.js'
import type { Mailer } from './mailer.js'

/** What the routes of users share. */
export interface UserRouteParts {
  links: Links
  mailer: Mailer
  /** Throws `INVALID_REQUEST` for a weak password. */
  assertStrong: (field: string, password: string, email: string) => void
}

/** Loads the password policy, with its word lists. */
export async function loadPasswordPolicy (): Promise<UserRouteParts['assertStrong']> {
  const { passwordProblem } = await import('../../../lib/passwords/policy.js')
  return function assertStrong (field, password, email) {
    const problem = passwordProblem(password, email)
    if (problem === null) return
    throw new INVALID_REQUEST({ message: problem, details: [{ path: `/${field}`, message: problem }] })
  }
}
