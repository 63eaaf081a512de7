import type { FastifyInstance, FastifyRequest } from 'fastify'

import { CONFLICT, INVALID_REQUEST } from '../../../lib/errors.js'
import type { User } from '../../../contracts/token-store/index.js'
import type { PasskeyItem, TotpSecret } from '../../../schemas/admin-mfa.js'
import { auditedUser } from './audit.js'
import { viewPasskey } from './parts.js'
import type { MfaParts } from './parts.js'
import type { Challenge, NewCredential, Passkeys, Purpose } from './passkeys.js'
import { createRecoveryCodes } from './recovery-codes.js'

type Account = Pick<User, 'id' | 'orgId' | 'email'>

/** Sets up factors of a user, who has been authenticated. */
export interface Enrolment {
  proposeTotp (user: Account): Promise<TotpSecret>
  /** Throws `INVALID_REQUEST` for a wrong code, `CONFLICT` if nothing was proposed. */
  confirmTotp (request: FastifyRequest, user: Account, code: string): Promise<{ recovery_codes: string[] }>
  passkeyOptions (passkeys: Passkeys, user: Account, purpose: Purpose): Promise<Challenge>
  /** Throws `INVALID_REQUEST`, and `CONFLICT` for a registered passkey. */
  addPasskey (passkeys: Passkeys, request: FastifyRequest, user: Account, registration: Registration): Promise<{
    passkey: PasskeyItem
    recovery_codes: string[]
  }>
}

export interface Registration {
  name: string
  credential: NewCredential
  token: string
  purpose: Purpose
}

export function enrolment (scope: FastifyInstance, { totp, now }: Pick<MfaParts, 'totp' | 'now'>): Enrolment {
  const { factors } = scope.tokenStore

  function audit (request: FastifyRequest, user: Account, changes: Record<string, unknown>): void {
    scope.audit({
      action: 'auth.mfa_enrolled',
      request,
      ...auditedUser(user),
      resourceType: 'user',
      resourceId: user.id,
      changes
    })
  }

  return {
    async proposeTotp ({ id, email }) {
      const secret = await totp.createSecret()
      if (!await factors.proposeTotp(id, secret)) throw new CONFLICT({ reason: 'the user was deleted' })
      return { secret, otpauth_url: await totp.urlOf(secret, email) }
    },

    async confirmTotp (request, user, code) {
      const secret = await factors.proposedTotp(user.id)
      if (secret === null) throw new CONFLICT({ message: 'There is no authenticator app to confirm; set it up first' })
      const step = await totp.stepOf(secret, code.replaceAll(' ', ''), now())
      if (step === null) throw wrongCode()
      const { codes, digests } = createRecoveryCodes(user.id)
      const confirmed = await factors.confirmTotp(user.id, { secret, step, recoveryDigests: digests })
      if (confirmed === null) throw new CONFLICT({ message: 'The authenticator app was set up again; confirm that one' })
      audit(request, user, { method: 'totp', first: confirmed.first })
      return { recovery_codes: confirmed.first ? [...codes] : [] }
    },

    async passkeyOptions (passkeys, user, purpose) {
      return passkeys.registrationOptions(user, (await factors.get(user.id)).passkeys, purpose)
    },

    async addPasskey (passkeys, request, user, { name, credential, token, purpose }) {
      const passkey = await passkeys.register(user, name, credential, { token, purpose })
      const { codes, digests } = createRecoveryCodes(user.id)
      const added = await factors.addPasskey(passkey, digests)
      if (added === null) throw new CONFLICT({ reason: 'the user was deleted' })
      audit(request, user, { method: 'passkey', name, first: added.first })
      return { passkey: viewPasskey(added.passkey), recovery_codes: added.first ? [...codes] : [] }
    }
  }
}

function wrongCode () {
  const message = 'The code is wrong; check the clock of the device'
  return new INVALID_REQUEST({ message, details: [{ path: '/code', message }] })
}
