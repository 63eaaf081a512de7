import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { FORBIDDEN } from '../../../lib/errors.js'
import type { TokenStore, User } from '../../../contracts/token-store/index.js'
import type { MfaChallenge, TokenReply } from '../../../schemas/admin-auth.js'
import { hasFactor } from '../has-factor.js'
import type { SsoLoginPolicy } from './sso-login-policy.js'
import type { SessionStart, SsoLogin, StartSession } from './token-pairs.js'

/** Asks for the second factor of a login. Set by `adminMfa`. */
export interface SecondFactor {
  /**
   * Returns the response to a user who still has to prove or to set up a second factor, else `null`. The session that
   * follows keeps `sso`, the login at an identity provider.
   */
  challenge (request: FastifyRequest, user: User, sso: SsoLogin | null): Promise<MfaChallenge | null>
}

/**
 * Continues a login in `user.orgId` after the first factor: starts a session, or returns the response that asks for the
 * second factor. The `mfaAt` of a login at an identity provider replaces the second factor of a user who has none here.
 * Throws as `StartSession` does, and `FORBIDDEN` if a second factor is needed and `adminMfa` is not
 * registered.
 */
export type ContinueLogin = (
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  options?: SessionStart
) => Promise<TokenReply | MfaChallenge>

interface LoginParts {
  start: StartSession
  rememberDevice: (request: FastifyRequest, reply: FastifyReply, user: User) => void
  secondFactor: () => SecondFactor | null
  policy: SsoLoginPolicy
}

export function loginContinuation (
  { tokenStore }: FastifyInstance,
  { start, rememberDevice, secondFactor, policy }: LoginParts
): ContinueLogin {
  return async function continueLogin (request, reply, user, options = {}) {
    const { sso = null, mfaAt = null } = options
    if (sso === null) await policy.check(request, user)
    const isProved = sso !== null && mfaAt !== null && !hasFactor(await tokenStore.factors.get(user.id))
    const challenge = isProved
      ? null
      : await (secondFactor()?.challenge(request, user, sso) ?? refuseFactor(tokenStore, user))
    if (challenge !== null) return challenge
    const tokens = await start(request, user, isProved ? withoutFactor(options) : options)
    rememberDevice(request, reply, user)
    return tokens
  }

  /** Repeats, after the session has started, the check that the user has no second factor here. */
  function withoutFactor (options: SessionStart): SessionStart {
    const { isStillValid = async () => true } = options
    return {
      ...options,
      isStillValid: async (fresh) => !hasFactor(await tokenStore.factors.get(fresh.id)) && await isStillValid(fresh)
    }
  }
}

/** Without `adminMfa` a password alone must not log in a user who has, or has to have, a second factor. */
async function refuseFactor ({ factors, organisations }: TokenStore, { id, orgId }: User): Promise<null> {
  const organisation = await organisations.get(orgId)
  const isNeeded = organisation?.mfa === 'required' || hasFactor(await factors.get(id))
  if (!isNeeded) return null
  throw new FORBIDDEN({
    message: 'This account needs a second factor, which this server does not ask for',
    reason: 'the user or the organisation has a second factor, and adminMfa is not registered'
  })
}
