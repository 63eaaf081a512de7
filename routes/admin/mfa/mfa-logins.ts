import { randomUUID } from 'node:crypto'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_CREDENTIALS } from '../../../lib/errors.js'
import type { User } from '../../../contracts/token-store/index.js'
import type { MfaChallenge, MfaMethod, TokenReply } from '../../../schemas/admin-auth.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { SsoLogin } from '../auth/token-pairs.js'
import { hasFactor } from '../has-factor.js'
import { auditedUser } from './audit.js'

/** A login that waits for its second factor. */
export interface MfaLogin {
  /** Id of the token. */
  readonly id: string
  readonly user: User
  /** The login at an identity provider that came before; `null` after a password. */
  readonly sso: SsoLogin | null
}

/** Logins between the password and the second factor. Their state is in the sealed `mfa_token`. */
export interface MfaLogins {
  /** Returns the response to a user who has, or has to set up, a second factor; else `null`. */
  challenge (request: FastifyRequest, user: User, sso: SsoLogin | null): Promise<MfaChallenge | null>
  /** Returns the login of a token. Throws `INVALID_CREDENTIALS`. */
  open (token: string, purpose: Purpose): Promise<MfaLogin>
  /** Uses the token up and starts the session. Throws `INVALID_CREDENTIALS` if the token was used before. */
  finish (request: FastifyRequest, reply: FastifyReply, login: MfaLogin, method: MfaMethod): Promise<TokenReply>
}

/** Whether the user proves a factor or sets up the first. */
export type Purpose = 'verify' | 'enrol'

interface TokenContent {
  id: string
  sub: string
  org: string
  epoch: number
  /** Digest of the password hash: a change of the password ends the login. */
  pw: string
  sso: SsoLogin | null
  /** Epoch milliseconds. */
  exp: number
}

/** Milliseconds. Setting up an app takes longer than reading a code. */
const LIFETIMES: Readonly<Record<Purpose, number>> = { verify: 300_000, enrol: 900_000 }

export function mfaLogins (scope: FastifyInstance, now: () => number, withPasskeys: boolean): MfaLogins {
  const { adminTokens, adminLogins, tokenStore } = scope

  function issue (
    { id: sub, orgId: org, epoch, passwordHash }: User,
    purpose: Purpose,
    sso: SsoLogin | null
  ): string {
    const content: TokenContent = {
      id: randomUUID(),
      sub,
      org,
      epoch,
      pw: sha256Hex(passwordHash),
      sso,
      exp: now() + LIFETIMES[purpose]
    }
    return adminTokens.box.seal(JSON.stringify(content), contextOf(purpose))
  }

  function read (token: string, purpose: Purpose): TokenContent {
    try {
      const content = JSON.parse(adminTokens.box.open(token, contextOf(purpose)).toString()) as TokenContent
      if (content.exp > now()) return content
    } catch (cause) {
      throw new INVALID_CREDENTIALS({ ...EXPIRED, reason: 'the mfa_token is not readable', cause })
    }
    throw new INVALID_CREDENTIALS({ ...EXPIRED, reason: 'the mfa_token has expired' })
  }

  /** Shows that a password was right also if the second factor never follows. */
  function audit (request: FastifyRequest, user: User, changes: Record<string, unknown>): void {
    scope.audit({
      action: 'auth.mfa_challenged',
      request,
      ...auditedUser(user),
      resourceType: 'user',
      resourceId: user.id,
      changes
    })
  }

  return {
    async challenge (request, user, sso) {
      const factors = await tokenStore.factors.get(user.id)
      if (hasFactor(factors)) {
        const methods: MfaMethod[] = []
        if (factors.totp !== null) methods.push('totp')
        if (withPasskeys && factors.passkeys.length > 0) methods.push('passkey')
        if (factors.recoveryCodes > 0) methods.push('recovery_code')
        audit(request, user, { methods, ...kindOf(sso) })
        return { mfa_required: true, mfa_token: issue(user, 'verify', sso), methods, expires_in: seconds('verify') }
      }
      if ((await tokenStore.organisations.get(user.orgId))?.mfa !== 'required') return null
      audit(request, user, { enrolment_required: true, ...kindOf(sso) })
      return {
        mfa_required: true,
        enrolment_required: true,
        mfa_token: issue(user, 'enrol', sso),
        methods: [],
        expires_in: seconds('enrol')
      }
    },

    async open (token, purpose) {
      const { id, sub, org, epoch, pw, sso } = read(token, purpose)
      const user = await tokenStore.users.get(sub, org)
      if (user === null || user.disabled || user.epoch !== epoch || sha256Hex(user.passwordHash) !== pw) {
        throw new INVALID_CREDENTIALS({ ...EXPIRED, reason: 'the user has changed since the mfa_token was issued' })
      }
      // The token was issued when the user had no factor. Now that there is one, it has to be proved.
      if (purpose === 'enrol' && hasFactor(await tokenStore.factors.get(sub))) {
        throw new INVALID_CREDENTIALS({ ...EXPIRED, reason: 'the user has a factor by now' })
      }
      return { id, user, sso }
    },

    async finish (request, reply, { id, user, sso }, method) {
      if (!await tokenStore.claim(`mfa login ${id}`, LIFETIMES.enrol)) {
        throw new INVALID_CREDENTIALS({ ...EXPIRED, reason: 'the mfa_token was used before' })
      }
      const tokens = await adminLogins.startSession(request, user, {
        mfaAt: now(),
        sso,
        isStillValid: async ({ passwordHash }) => passwordHash === user.passwordHash,
        audit: {
          action: sso === null ? 'auth.login' : 'auth.sso_login',
          changes: { second_factor: method, ...sso === null ? {} : { provider_id: sso.providerId } }
        }
      })
      adminLogins.rememberDevice(request, reply, user)
      return tokens
    }
  }
}

function kindOf (sso: SsoLogin | null): Record<string, unknown> {
  return sso === null ? {} : { provider_kind: sso.kind }
}

const EXPIRED = { message: 'The login has expired; log in again' }

function contextOf (purpose: Purpose): string {
  return `mfa login ${purpose}`
}

function seconds (purpose: Purpose): number {
  return LIFETIMES[purpose] / 1000
}
