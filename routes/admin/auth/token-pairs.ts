import { randomUUID } from 'node:crypto'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { RefreshClaims } from '../../../lib/admin-tokens/index.js'
import { requestAddress } from '../../../lib/http/client-address.js'
import { INVALID_CREDENTIALS } from '../../../lib/errors.js'
import type { NewSsoSession, ProviderKind, SsoSession, User } from '../../../contracts/token-store/index.js'
import type { TokenPair, TokenReply } from '../../../schemas/admin-auth.js'
import type { SsoLoginPolicy } from './sso-login-policy.js'
import type { TokenDelivery } from './token-delivery.js'

export interface SessionSettings {
  /** Maximum lifetime of a session, in milliseconds. */
  maxAge: number
  delivery: TokenDelivery
  policy: SsoLoginPolicy
  ssoCheck: () => SsoCheck | null
  now: () => number
}

/** Returns whether an identity provider is still enabled, and the person at the provider still linked to the user. */
export type SsoCheck = (sso: SsoSession, userId: string) => Promise<boolean>

/** A login at an identity provider. */
export interface SsoLogin extends NewSsoSession {
  readonly kind: ProviderKind
}

/** How a session starts. */
export interface SessionStart {
  /** Repeats the check of the credentials, with the user as stored after the session has started. Default: none. */
  isStillValid?: (fresh: User) => Promise<boolean>
  /** When the user proved a second factor, epoch milliseconds. Default: `null`, not at all. */
  mfaAt?: number | null
  /** The login at an identity provider. Default: none, the user logged in with a password or passkey. */
  sso?: SsoLogin | null
  /** When the session ends, epoch milliseconds. Default: after `sessionMaxAge`. */
  endsAt?: number
  /** The audit entry of the new session. Default: the action `auth.login`. */
  audit?: { action: string, changes?: Record<string, unknown> }
}

/**
 * Starts a session of an authenticated user in `user.orgId` and returns the body of the response with its first tokens.
 * With `cookie` the refresh token is in a cookie of the response instead. Throws `INVALID_CREDENTIALS` if the user was
 * disabled, deleted or logged out everywhere in the meantime. Throws `FORBIDDEN` without `sso` if the organisation
 * requires a login at its identity provider.
 */
export type StartSession = (request: FastifyRequest, user: User, options?: SessionStart) => Promise<TokenReply>

const MAX_USER_AGENT = 512

export function sessionStarter (
  scope: FastifyInstance,
  { maxAge, delivery, policy, ssoCheck, now }: SessionSettings
): StartSession {
  const { adminTokens } = scope
  const { sessions, users } = scope.tokenStore

  /** Ends the session whose cookie the new session overwrites: nothing could end it any more. */
  async function endReplaced (request: FastifyRequest): Promise<void> {
    const token = delivery.replaced(request)
    const claims = token === null ? null : claimsOf(token)
    if (claims === null || !await sessions.end(claims.sid, claims.sub)) return
    scope.audit({
      action: 'auth.logout',
      request,
      orgId: claims.org_id,
      userId: claims.sub,
      resourceType: 'session',
      resourceId: claims.sid,
      changes: { reason: 'replaced' }
    })
  }

  function claimsOf (token: string): RefreshClaims | null {
    try {
      return adminTokens.verifyRefresh(token)
    } catch {
      return null
    }
  }

  return async function startSession (request, user, options = {}) {
    const { id: userId, orgId, email, epoch } = user
    const { isStillValid, mfaAt = null, sso = null, endsAt = now() + maxAge } = options
    const isBreakGlass = sso === null && await policy.check(request, user) === 'break-glass'
    const { audit = { action: 'auth.login' } } = options
    const method = methodOf(options)
    const changes = { ...audit.changes, ...method, ...isBreakGlass ? { break_glass: true } : {} }
    const sid = randomUUID()
    const refresh = adminTokens.issueRefresh({ sub: userId, org_id: orgId, sid, endsAt })
    const userAgent = (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT)
    const record = { request, orgId, userId, userEmail: email }
    const started = await sessions.start({
      id: sid,
      userId,
      orgId,
      mfaAt,
      sso: sso === null ? null : sessionOf(sso),
      epoch,
      refreshDigest: refresh.digest,
      endsAt,
      ip: requestAddress(request),
      userAgent
    })
    // The password or the link to the provider may have changed during the login. From now on such a change ends this
    // session, so check them again.
    const fresh = started ? await users.get(userId, orgId) : null
    const isLinked = sso === null || await ssoCheck()?.(sso, userId) !== false
    if (fresh === null || !isLinked || (isStillValid !== undefined && !await isStillValid(fresh))) {
      if (started) await sessions.end(sid)
      scope.audit({ ...record, action: 'auth.login_failed', changes: { ...method, reason: 'withdrawn' }, refusal: true })
      throw new INVALID_CREDENTIALS({ reason: 'logged out everywhere, disabled, deleted or changed during the login' })
    }
    scope.audit({
      ...record,
      action: audit.action,
      resourceType: 'session',
      resourceId: sid,
      ...Object.keys(changes).length === 0 ? {} : { changes }
    })
    const access = adminTokens.issueAccess({ sub: userId, org_id: orgId, role: fresh.role, sid, epoch, endsAt })
    await endReplaced(request)
    return delivery.deliver(
      request,
      tokenPair(access, refresh.token, adminTokens.accessLifeSeconds(endsAt)),
      endsAt
    )
  }
}

/** Returns how the user logged in, for the audit entry; nothing for a password. */
function methodOf ({ sso = null, audit }: SessionStart): Record<string, unknown> {
  if (sso !== null) return { provider_kind: sso.kind }
  const firstFactor = audit?.changes?.['first_factor']
  return firstFactor === undefined ? {} : { first_factor: firstFactor }
}

function sessionOf ({ kind: _kind, ...session }: SsoLogin): NewSsoSession {
  return session
}

export function tokenPair (access: string, refresh: string, expiresIn: number): TokenPair {
  return { access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: expiresIn }
}
