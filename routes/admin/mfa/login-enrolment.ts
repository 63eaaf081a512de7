import type { FastifyInstance } from 'fastify'

import { FORBIDDEN } from '../../../lib/errors.js'
import { mfaSchemas } from '../../../schemas/admin-mfa.js'
import type { EnrolPasskeyBody, EnrolTotpConfirmBody, MfaTokenBody } from '../../../schemas/admin-mfa.js'
import { enrolment } from './enrolment.js'
import type { MfaLogin } from './mfa-logins.js'
import type { MfaParts } from './parts.js'
import type { Purpose } from './passkeys.js'

const config = { gatehouse: { admin: false } }

/** Registers the routes that set up the first factor in a login to an organisation that requires one. */
export function loginEnrolmentRoutes (scope: FastifyInstance, parts: MfaParts): void {
  const { logins, passkeys } = parts
  const { proposeTotp, confirmTotp, passkeyOptions, addPasskey } = enrolment(scope, parts)

  scope.post<{ Body: MfaTokenBody }>(
    '/auth/mfa/enrol/totp',
    { schema: mfaSchemas.enrolTotp, config },
    async function enrolTotp (request) {
      const { user } = await logins.open(request.body.mfa_token, 'enrol')
      return proposeTotp(user)
    }
  )

  scope.post<{ Body: EnrolTotpConfirmBody }>(
    '/auth/mfa/enrol/totp/confirm',
    { schema: mfaSchemas.confirmEnrolledTotp, config },
    async function confirmEnrolledTotp (request, reply) {
      const login = await logins.open(request.body.mfa_token, 'enrol')
      const codes = await confirmTotp(request, login.user, request.body.code)
      return { ...codes, tokens: await logins.finish(request, reply, login, 'totp') }
    }
  )
  if (passkeys === null) return

  scope.post<{ Body: MfaTokenBody }>(
    '/auth/mfa/enrol/passkeys/options',
    { schema: mfaSchemas.enrolPasskeyOptions, config },
    async function enrolPasskeyOptions (request) {
      const { id, user } = await openForPasskey(request.body.mfa_token)
      return passkeyOptions(passkeys, user, purposeOf(id))
    }
  )

  scope.post<{ Body: EnrolPasskeyBody }>(
    '/auth/mfa/enrol/passkeys',
    { schema: mfaSchemas.enrolPasskey, config },
    async function enrolPasskey (request, reply) {
      const { mfa_token, challenge_token: token, name, credential } = request.body
      const login = await openForPasskey(mfa_token)
      const purpose = purposeOf(login.id)
      const added = await addPasskey(passkeys, request, login.user, { name, credential, token, purpose })
      return { ...added, tokens: await logins.finish(request, reply, login, 'passkey') }
    }
  )

  /** A passkey logs in to all organisations of a user, and a provider vouches for the user in its own alone. */
  async function openForPasskey (token: string): Promise<MfaLogin> {
    const login = await logins.open(token, 'enrol')
    if (login.sso === null) return login
    throw new FORBIDDEN({
      message: 'Set up an authenticator app; a passkey can be added later with the password',
      reason: 'login at an identity provider'
    })
  }
}

function purposeOf (loginId: string): Purpose {
  return { name: 'register', of: loginId }
}
