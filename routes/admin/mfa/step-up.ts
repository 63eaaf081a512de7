import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT, INVALID_REQUEST, INVALID_TOKEN } from '../../../lib/errors.js'
import type { MfaMethod } from '../../../schemas/admin-auth.js'
import { mfaSchemas } from '../../../schemas/admin-mfa.js'
import type { StepUpBody } from '../../../schemas/admin-mfa.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'
import { optionalBody } from '../request.js'
import { auditProof, logReason } from './audit.js'
import type { MfaParts } from './parts.js'
import type { Purpose } from './passkeys.js'

/** Registers the routes that confirm the second factor of a session again. */
export function stepUpRoutes (scope: FastifyInstance, { passkeys, proveCode, countAttempt, now }: MfaParts): void {
  const { factors, sessions } = scope.tokenStore

  if (passkeys !== null) {
    scope.post(
      '/auth/mfa/step-up/options',
      { schema: mfaSchemas.stepUpOptions, ...PERMISSIONS.readFactors, ...optionalBody },
      async function stepUpOptions (request) {
        const { sub, sid } = adminOf(request)
        const { passkeys: known } = await factors.get(sub)
        if (known.length === 0) throw new CONFLICT({ message: 'This account has no passkey' })
        return passkeys.authenticationOptions(known, purposeOf(sid))
      }
    )
  }

  scope.post<{ Body: StepUpBody }>(
    '/auth/mfa/step-up',
    { schema: mfaSchemas.stepUp, ...PERMISSIONS.readFactors },
    async function stepUp (request, reply) {
      const { sub, sid, org_id: orgId, email } = adminOf(request)
      const prove = proofOf(request, sub, sid)
      const user = { id: sub, orgId, email }
      const method = await countAttempt({ request, user, by: { session: sid } }, prove)
      if (!await sessions.confirm(sid, now())) throw new INVALID_TOKEN({ reason: 'the session has ended' })
      await auditProof(scope, request, user, method)
      return reply.code(204).send()
    }
  )

  /** Returns the check of the proof in the body. Throws `INVALID_REQUEST` unless there is exactly one. */
  function proofOf (request: FastifyRequest<{ Body: StepUpBody }>, userId: string, sid: string) {
    const { code, challenge_token: token, credential } = request.body
    if (code !== undefined && token === undefined && credential === undefined) return () => proveCode(userId, code)
    if (passkeys === null || code !== undefined || token === undefined || credential === undefined) {
      throw new INVALID_REQUEST({ message: 'Send either "code", or "challenge_token" and "credential"' })
    }
    return async (): Promise<MfaMethod | null> => {
      const passkey = await passkeys.verify(credential, { token, purpose: purposeOf(sid) }, logReason(request))
      return passkey?.userId === userId ? 'passkey' : null
    }
  }
}

function purposeOf (sid: string): Purpose {
  return { name: 'step-up', of: sid }
}
