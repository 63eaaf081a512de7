import type { FastifyInstance, FastifyRequest } from 'fastify'

import { FORBIDDEN, NOT_FOUND } from '../../../lib/errors.js'
import type { Role } from '../../../contracts/token-store/index.js'
import { mayGive } from '../../../plugins/token-store/limits.js'
import { domainOf } from '../auth/sso-login-policy.js'
import { callerOf } from '../admin-scope.js'
import { invalid } from './errors.js'

/** Returns the organisation and the role of the API key that sends a request. */
export function keyOf (request: FastifyRequest): { orgId: string, role: Role } {
  const { org_id: orgId, role } = callerOf(request)
  return { orgId, role }
}

/** Throws `FORBIDDEN` if a role is above the role of the API key. */
export function assertNotAbove (role: Role, key: Role): void {
  if (mayGive(key, role)) return
  throw new FORBIDDEN({
    message: `The API key has the role ${key}, and may not create or change members with the role ${role}`,
    reason: `API key with the role ${key}`
  })
}

/** Throws `invalidValue` unless the organisation has proved the domain of the email, or the host has configured it. */
export async function assertProved (scope: FastifyInstance, orgId: string, email: string): Promise<void> {
  const domain = domainOf(email)
  const configured = scope.hasDecorator('adminLogins') ? scope.adminLogins.configuredDomains : null
  const owner = configured?.(domain) ?? await scope.tokenStore.ssoDomains.findVerified(domain)
  if (owner?.orgId === orgId) return
  throw invalid('invalidValue', 'The organisation has not proved the domain of the email; add and verify it first')
}

export function orNotFound<Thing> (thing: Thing | null): Thing {
  if (thing === null) throw new NOT_FOUND()
  return thing
}
