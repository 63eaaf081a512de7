import { randomUUID } from 'node:crypto'

import type { FastifyInstance, FastifyRequest } from 'fastify'

import { requestAddress } from '../../../lib/http/client-address.js'
import { INVALID_CREDENTIALS } from '../../../lib/errors.js'
import type { User } from '../../../contracts/token-store/index.js'
import type { TokenPair } from '../../../schemas/admin-auth.js'

export interface SessionSettings {
  /** When a session ends at the latest, milliseconds after its start. */
  maxAge: number
  now: () => number
}

/** Starts a session for a user who has proved to be one, and returns its first pair of tokens. */
export type StartSession = (request: FastifyRequest, user: User, stillProved?: (fresh: User) => Promise<boolean>) => Promise<TokenPair>

const MAX_USER_AGENT = 512

export function sessionStarter (scope: FastifyInstance, { maxAge, now }: SessionSettings): StartSession {
  const { adminTokens } = scope
  const { sessions, users } = scope.tokenStore

  return async function startSession (request, { id: userId, orgId, email, epoch }, stillProved) {
    const sid = randomUUID()
    const endsAt = now() + maxAge
    const refresh = adminTokens.issueRefresh({ sub: userId, org_id: orgId, sid, endsAt })
    const userAgent = (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT)
    const record = { request, orgId, userId, userEmail: email }
    const started = await sessions.start({ id: sid, userId, epoch, refreshDigest: refresh.digest, endsAt, ip: requestAddress(request), userAgent })
    // The proof too may have been withdrawn while it was checked: now that withdrawing it would end this session, look again.
    const fresh = started ? await users.get(userId) : null
    if (fresh === null || (stillProved !== undefined && !await stillProved(fresh))) {
      if (started) await sessions.end(sid)
      scope.audit({ ...record, action: 'auth.login_failed', changes: { reason: 'withdrawn' }, refusal: true })
      throw new INVALID_CREDENTIALS({ reason: 'logged out everywhere, disabled, deleted or changed during the login' })
    }
    scope.audit({ ...record, action: 'auth.login', resourceType: 'session', resourceId: sid })
    const access = adminTokens.issueAccess({ sub: userId, org_id: orgId, role: fresh.role, sid, epoch, endsAt })
    return tokenPair(access, refresh.token, adminTokens.accessLifeSeconds(endsAt))
  }
}

export function tokenPair (access: string, refresh: string, expiresIn: number): TokenPair {
  return { access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: expiresIn }
}
