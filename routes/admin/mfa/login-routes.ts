import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_CREDENTIALS } from '../../../lib/errors.js'
import type { Passkey, User } from '../../../contracts/token-store/index.js'
import { mfaSchemas } from '../../../schemas/admin-mfa.js'
import type { MfaTokenBody, PasskeyLoginBody, PasskeyVerifyBody, VerifyBody } from '../../../schemas/admin-mfa.js'
import { optionalBody } from '../request.js'
import { auditedUser, auditProof, logReason } from './audit.js'
import type { MfaParts } from './parts.js'
import type { Passkeys, Purpose } from './passkeys.js'

const config = { gatehouse: { admin: false } }

/** Registers the routes that finish a login with a second factor. They need no access token. */
export function loginRoutes (scope: FastifyInstance, parts: MfaParts): void {
  const { logins, proveCode, countAttempt, passkeys } = parts

  scope.post<{ Body: VerifyBody }>(
    '/auth/mfa/verify',
    { schema: mfaSchemas.verify, config },
    async function verifyCode (request, reply) {
      const login = await logins.open(request.body.mfa_token, 'verify')
      const { id: token, user } = login
      const method = await countAttempt(
        { request, user, by: { token } },
        () => proveCode(user.id, request.body.code)
      )
      await auditProof(scope, request, user, method)
      return logins.finish(request, reply, login, method)
    }
  )
  if (passkeys === null) return

  scope.post<{ Body: MfaTokenBody }>(
    '/auth/mfa/passkey/options',
    { schema: mfaSchemas.passkeyVerifyOptions, config },
    async function passkeyOptions (request) {
      const { id, user } = await logins.open(request.body.mfa_token, 'verify')
      const { passkeys: known } = await scope.tokenStore.factors.get(user.id)
      return passkeys.authenticationOptions(known, purposeOf(id))
    }
  )

  scope.post<{ Body: PasskeyVerifyBody }>(
    '/auth/mfa/passkey/verify',
    { schema: mfaSchemas.passkeyVerify, config },
    async function verifyPasskey (request, reply) {
      const { mfa_token, challenge_token: token, credential } = request.body
      const login = await logins.open(mfa_token, 'verify')
      const { id, user } = login
      await countAttempt({ request, user, by: { token: id } }, async () => {
        const passkey = await passkeys.verify(credential, { token, purpose: purposeOf(id) }, logReason(request))
        return passkey?.userId === user.id ? passkey : null
      })
      await auditProof(scope, request, user, 'passkey')
      return logins.finish(request, reply, login, 'passkey')
    }
  )
  passwordlessRoutes(scope, parts, passkeys)
}

/** Registers the login by a passkey alone, which verifies the user and so counts as both factors. */
function passwordlessRoutes (scope: FastifyInstance, { now }: MfaParts, passkeys: Passkeys): void {
  const { factors, users } = scope.tokenStore
  const purpose: Purpose = { name: 'login', of: '' }

  scope.post(
    '/auth/passkey/options',
    { schema: mfaSchemas.passkeyLoginOptions, config, ...optionalBody },
    async function passkeyLoginOptions () {
      return passkeys.authenticationOptions(null, purpose)
    }
  )

  scope.post<{ Body: PasskeyLoginBody }>(
    '/auth/passkey/login',
    { schema: mfaSchemas.passkeyLogin, config },
    async function loginWithPasskey (request, reply) {
      const { challenge_token: token, credential, org_id: orgId } = request.body
      const passkey = await passkeys.verify(credential, { token, purpose }, logReason(request))
      const user = passkey === null ? null : await users.get(passkey.userId, orgId)
      if (passkey === null || user === null || user.disabled) throw await failed(request, passkey, user)
      await auditProof(scope, request, user, 'passkey')
      const tokens = await scope.adminLogins.startSession(request, user, {
        mfaAt: now(),
        isStillValid: async () => await factors.findPasskey(passkey.credentialId) !== null,
        audit: { action: 'auth.login', changes: { first_factor: 'passkey' } }
      })
      scope.adminLogins.rememberDevice(request, reply, user)
      return tokens
    }
  )

  async function failed (request: FastifyRequest, passkey: Passkey | null, member: User | null) {
    const user = passkey === null ? null : member ?? await users.get(passkey.userId)
    scope.audit({
      request,
      ...user === null ? { userId: null, userEmail: null } : auditedUser(user),
      action: 'auth.login_failed',
      changes: {
        first_factor: 'passkey',
        reason: passkey === null ? 'passkey' : member === null ? 'not_a_member' : 'disabled'
      },
      refusal: true
    })
    return new INVALID_CREDENTIALS({ message: 'The passkey was not accepted; try again' })
  }
}

function purposeOf (loginId: string): Purpose {
  return { name: 'verify', of: loginId }
}
