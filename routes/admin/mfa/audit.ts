import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { User } from '../../../contracts/token-store/index.js'
import type { MfaMethod } from '../../../schemas/admin-auth.js'

/** Audits a second factor that was proved, and the use of a recovery code. */
export async function auditProof (
  scope: FastifyInstance,
  request: FastifyRequest,
  user: Pick<User, 'id' | 'orgId' | 'email'>,
  method: MfaMethod
): Promise<void> {
  const record = { request, ...auditedUser(user), resourceType: 'user', resourceId: user.id }
  scope.audit({ ...record, action: 'auth.mfa_verified', changes: { method } })
  if (method !== 'recovery_code') return
  const { recoveryCodes } = await scope.tokenStore.factors.get(user.id)
  scope.audit({ ...record, action: 'auth.mfa_recovery_used', changes: { left: recoveryCodes } })
}

/** Logs why a passkey was refused; the client does not receive the reason. */
export function logReason (request: FastifyRequest) {
  return (reason: string): void => request.log.info({ reason }, 'passkey refused')
}

export function auditedUser ({ id, orgId, email }: Pick<User, 'id' | 'orgId' | 'email'>) {
  return { orgId, userId: id, userEmail: email }
}
