import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT, INVALID_REQUEST, NOT_FOUND } from '../../../lib/errors.js'
import { mfaSchemas } from '../../../schemas/admin-mfa.js'
import type { MfaState, NewPasskeyBody, StartEnrolmentBody, TotpConfirmBody } from '../../../schemas/admin-mfa.js'
import { adminOf } from '../admin-scope.js'
import { PERMISSIONS } from '../permissions.js'
import { idOf, optionalBody } from '../request.js'
import { hasFactor } from '../has-factor.js'
import { enrolment } from './enrolment.js'
import { viewPasskey } from './parts.js'
import type { MfaParts } from './parts.js'
import type { Passkeys } from './passkeys.js'
import { createRecoveryCodes } from './recovery-codes.js'

/** Registers the routes with which administrators read, set up and remove their own factors. */
export function factorRoutes (scope: FastifyInstance, parts: MfaParts): void {
  const { passkeys, now } = parts
  const { factors, sessions } = scope.tokenStore
  const { proposeTotp, confirmTotp } = enrolment(scope, parts)

  scope.get('/auth/mfa', { schema: mfaSchemas.state, ...PERMISSIONS.readFactors }, async function readFactors (request) {
    const { sub, mfaAt, mfaRequired } = adminOf(request)
    const { totp, passkeys, recoveryCodes } = await factors.get(sub)
    return {
      totp: totp === null ? null : { confirmed_at: new Date(totp.confirmedAt).toISOString() },
      passkeys: passkeys.map(viewPasskey),
      recovery_codes_left: recoveryCodes,
      required: mfaRequired,
      confirmed_at: mfaAt === null ? null : new Date(mfaAt).toISOString()
    } satisfies MfaState
  })

  scope.post<{ Body: StartEnrolmentBody }>('/auth/mfa/totp', {
    schema: mfaSchemas.proposeTotp,
    ...PERMISSIONS.changeFactors,
    ...optionalBody
  }, async function startTotp (request) {
    await checkOwner(scope, request)
    return proposeTotp(accountOf(request))
  })

  scope.post<{ Body: TotpConfirmBody }>(
    '/auth/mfa/totp/confirm',
    { schema: mfaSchemas.confirmTotp, ...PERMISSIONS.changeFactors },
    async function finishTotp (request) {
      const codes = await confirmTotp(request, accountOf(request), request.body.code)
      await sessions.confirm(adminOf(request).sid, now())
      return codes
    }
  )

  scope.delete(
    '/auth/mfa/totp',
    { schema: mfaSchemas.removeTotp, ...PERMISSIONS.changeFactors, ...optionalBody },
    async function removeTotp (request, reply) {
      if (!await factors.removeTotp(adminOf(request).sub)) throw new NOT_FOUND()
      auditRemoval(scope, request, { method: 'totp' })
      return reply.code(204).send()
    }
  )

  scope.post('/auth/mfa/recovery-codes', {
    schema: mfaSchemas.replaceRecoveryCodes,
    ...PERMISSIONS.changeFactors,
    ...optionalBody
  }, async function replaceRecoveryCodes (request) {
    const { sub } = adminOf(request)
    const { codes, digests } = createRecoveryCodes(sub)
    if (!await factors.replaceRecoveryCodes(sub, digests)) {
      throw new CONFLICT({ message: 'Recovery codes need a second factor; set it up first' })
    }
    scope.audit({ action: 'auth.mfa_recovery_replaced', request, resourceType: 'user', resourceId: sub })
    return { recovery_codes: [...codes] }
  })
  if (passkeys !== null) passkeyRoutes(scope, parts, passkeys)
}

function passkeyRoutes (scope: FastifyInstance, parts: MfaParts, passkeys: Passkeys): void {
  const { factors, sessions } = scope.tokenStore
  const { passkeyOptions, addPasskey } = enrolment(scope, parts)
  const purposeOf = (request: FastifyRequest) => ({ name: 'register' as const, of: adminOf(request).sid })

  scope.post<{ Body: StartEnrolmentBody }>('/auth/mfa/passkeys/options', {
    schema: mfaSchemas.passkeyOptions,
    ...PERMISSIONS.changeFactors,
    ...optionalBody
  }, async function startPasskey (request) {
    // A passkey logs in to all organisations of a user, and a provider vouches for the user in its own alone.
    await checkOwner(scope, request, adminOf(request).providerId !== null)
    return passkeyOptions(passkeys, accountOf(request), purposeOf(request))
  })

  scope.post<{ Body: NewPasskeyBody }>(
    '/auth/mfa/passkeys',
    { schema: mfaSchemas.addPasskey, ...PERMISSIONS.changeFactors },
    async function finishPasskey (request, reply) {
      const { challenge_token: token, name, credential } = request.body
      const registration = { name, credential, token, purpose: purposeOf(request) }
      const added = await addPasskey(passkeys, request, accountOf(request), registration)
      await sessions.confirm(adminOf(request).sid, parts.now())
      return reply.code(201).send(added)
    }
  )

  scope.get(
    '/auth/mfa/passkeys/:id',
    { schema: mfaSchemas.readPasskey, ...PERMISSIONS.readFactors },
    async function readPasskey (request) {
      const id = idOf(request.params)
      const passkey = (await factors.get(adminOf(request).sub)).passkeys.find((own) => own.id === id)
      if (passkey === undefined) throw new NOT_FOUND()
      return viewPasskey(passkey)
    }
  )

  scope.delete(
    '/auth/mfa/passkeys/:id',
    { schema: mfaSchemas.removePasskey, ...PERMISSIONS.changeFactors, ...optionalBody },
    async function removePasskey (request, reply) {
      const removed = await factors.removePasskey(adminOf(request).sub, idOf(request.params))
      if (removed === null) throw new NOT_FOUND()
      auditRemoval(scope, request, { method: 'passkey', name: removed.name })
      return reply.code(204).send()
    }
  )
}

/**
 * Checks the password for the first factor: otherwise a stolen access token could add a factor and lock the user out.
 * A user who has a factor has just proved it, as the guard requires on these routes, unless `needsPassword`.
 */
async function checkOwner (
  scope: FastifyInstance,
  request: FastifyRequest<{ Body: StartEnrolmentBody }>,
  needsPassword = false
): Promise<void> {
  const { sub, email, sid } = adminOf(request)
  const { current_password: password } = request.body
  if (password === undefined) {
    if (!needsPassword && hasFactor(await scope.tokenStore.factors.get(sub))) return
    const message = needsPassword
      ? 'The current password is required to add a passkey after a login at an identity provider'
      : 'The current password is required to set up the first factor'
    throw new INVALID_REQUEST({ message, details: [{ path: '/current_password', message }] })
  }
  await scope.adminLogins.checkPassword(request, email, password, () => `session.${sid}`)
}

function auditRemoval (scope: FastifyInstance, request: FastifyRequest, changes: Record<string, unknown>): void {
  const { sub } = adminOf(request)
  scope.audit({ action: 'auth.mfa_removed', request, resourceType: 'user', resourceId: sub, changes })
}

function accountOf (request: FastifyRequest) {
  const { sub: id, org_id: orgId, email } = adminOf(request)
  return { id, orgId, email }
}
