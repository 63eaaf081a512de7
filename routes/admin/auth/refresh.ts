import type { FastifyInstance, FastifyRequest } from 'fastify'

import { auditRefusedToken } from '../../../plugins/admin-guard/refused-tokens.js'
import { CHANNELS } from '../../../lib/channels.js'
import type { RefreshMessage } from '../../../lib/channels.js'
import type { RefreshClaims } from '../../../lib/admin-tokens/index.js'
import { requestNetwork } from '../../../lib/http/client-address.js'
import { GatehouseError, INVALID_REFRESH_TOKEN, UNAVAILABLE } from '../../../lib/errors.js'
import type { RotationOutcome } from '../../../contracts/token-store/index.js'
import type { TokenPair, TokenReply } from '../../../schemas/admin-auth.js'
import { sha256Hex } from '../../../signing/digest.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import type { TokenDelivery } from './token-delivery.js'
import { tokenPair } from './token-pairs.js'

export interface RefreshSettings {
  /** Time in which a rotated token may be repeated, in milliseconds. */
  grace: number
  /** Encrypts the new tokens for the grace period; `null` without a grace period. */
  box: SecretBox | null
  /** Time after which a session that is not refreshed ends, in milliseconds. */
  idleMax: number
  delivery: TokenDelivery
}

const REFRESHES = {
  rotated: 'refresh:rotated',
  repeated: 'refresh:repeated',
  reused: 'refresh:reused',
  idle: 'refresh:idle',
  ended: 'refresh:ended',
  refused: 'refresh:refused'
} as const satisfies Record<RefreshMessage['outcome'], string>

export function refreshHandler (scope: FastifyInstance, { grace, box, idleMax, delivery }: RefreshSettings) {
  const { adminTokens } = scope
  const { sessions } = scope.tokenStore

  return async function refresh (request: FastifyRequest): Promise<TokenReply> {
    let outcome: RefreshMessage['outcome'] = 'refused'
    let orgId = scope.auditOrg
    try {
      return await rotate(request, (rotated, org) => {
        outcome = rotated
        orgId = org
      })
    } finally {
      scope.outcomeCounts.add('admin', orgId, '', REFRESHES[outcome])
      if (CHANNELS.refresh.hasSubscribers) CHANNELS.refresh.publish({ request, outcome })
    }
  }

  async function rotate (
    request: FastifyRequest,
    note: (outcome: RotationOutcome['outcome'], orgId: string) => void
  ): Promise<TokenReply> {
    const claims = readRefreshToken(request, delivery.read(request))
    const { sub, org_id, sid, jti } = claims
    // Steps that may fail come before the rotation, because the rotation uses up the token.
    const access = await sessions.access(sid)
    if (access === null || access.userId !== sub || access.orgId !== org_id) {
      auditRefusedToken(request, 'refresh', 'the session has ended', claims)
      throw new INVALID_REFRESH_TOKEN({ reason: 'the session has ended' })
    }
    const { role, epoch, endsAt } = access
    const next = adminTokens.issueRefresh({ sub, org_id, sid, endsAt })
    const pair = tokenPair(
      adminTokens.issueAccess({ sub, org_id, role, sid, epoch, endsAt }),
      next.token,
      adminTokens.accessLifeSeconds(endsAt)
    )
    const presented = sha256Hex(jti)
    const context = `refresh successor ${sid} ${presented}`
    const repeatFor = delivery.allowsRepeat(request) ? grace : 0
    const sealedSuccessor = repeatFor === 0 ? null : box?.seal(JSON.stringify(pair), context) ?? null
    const rotation = await sessions.rotate({
      sessionId: sid,
      presented,
      next: next.digest,
      grace: repeatFor,
      sealedSuccessor,
      idleMax
    })
    note(rotation.outcome, org_id)
    switch (rotation.outcome) {
      case 'rotated':
        return delivery.deliver(request, pair, endsAt)
      case 'repeated':
        return delivery.deliver(request, openStoredPair(rotation, context), endsAt)
      case 'reused':
        reportReuse(request, claims, access.email, presented)
        break
      case 'idle':
        reportIdle(request, claims, access.email)
    }
    throw new INVALID_REFRESH_TOKEN({ reason: rotation.outcome })
  }

  function openStoredPair (
    { sealedSuccessor }: Extract<RotationOutcome, { outcome: 'repeated' }>,
    context: string
  ): TokenPair {
    if (box === null) {
      throw new INVALID_REFRESH_TOKEN({ reason: 'the token was repeated, but "reuseGrace" is 0 on this instance' })
    }
    try {
      return JSON.parse(box.open(sealedSuccessor, context).toString()) as TokenPair
    } catch (cause) {
      throw new UNAVAILABLE({
        reason: 'the stored response cannot be decrypted; check that "secretsKeys" is the same on all instances',
        cause
      })
    }
  }

  function reportIdle (request: FastifyRequest, { sub, org_id, sid }: RefreshClaims, email: string): void {
    scope.audit({
      action: 'auth.session_expired',
      request,
      orgId: org_id,
      userId: sub,
      userEmail: email,
      resourceType: 'session',
      resourceId: sid,
      changes: { reason: 'idle' }
    })
  }

  function reportReuse (
    request: FastifyRequest,
    { sub, org_id, sid }: RefreshClaims,
    email: string,
    digest: string
  ): void {
    request.log.warn(
      { userId: sub, sessionId: sid },
      'a used refresh token was sent again: all sessions of the user were ended'
    )
    scope.audit({
      action: 'auth.refresh_reused',
      request,
      orgId: org_id,
      userId: sub,
      userEmail: email,
      resourceType: 'session',
      resourceId: sid,
      changes: { reason: 'refresh_reused', jti_sha256: digest }
    })
  }
}

/**
 * Returns the claims of a valid refresh token. Throws `INVALID_REFRESH_TOKEN`, and audits a token that is not just
 * expired.
 */
export function readRefreshToken (request: FastifyRequest, token: string | null): RefreshClaims {
  if (token === null) throw new INVALID_REFRESH_TOKEN({ reason: 'the request has no refresh cookie' })
  try {
    return request.server.adminTokens.verifyRefresh(token)
  } catch (error) {
    const { code = '', reason: check } = error instanceof GatehouseError ? error : {}
    if (code !== 'EXPIRED_TOKEN') auditRefusedToken(request, 'refresh', check)
    const reason = code === '' ? 'unreadable' : `${code}: ${check ?? ''}`
    throw new INVALID_REFRESH_TOKEN({ reason, cause: error })
  }
}

/** Returns the rate-limit key function for refresh tokens: the id of the token's user, else the client's network. */
export function refreshKey (
  scope: FastifyInstance,
  delivery: TokenDelivery
): (request: FastifyRequest) => string {
  return function keyOf (request) {
    try {
      return scope.adminTokens.verifyRefresh(delivery.read(request) ?? '').sub
    } catch {
      return requestNetwork(request)
    }
  }
}
