import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { RefreshClaims } from '../../lib/admin-tokens/index.js'
import type { GatehouseError } from '../../lib/errors.js'
import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { toPublicError } from '../../lib/refuse.js'

/** The user, organisation and session of a token that the suite signed; `null` for any other token. */
export type TokenOwner = Pick<RefreshClaims, 'sub' | 'org_id' | 'sid'> | null

/** Returns the error to answer with: the refusal itself, or `RATE_LIMITED` once the address has sent too many refused tokens. */
export type CountRefusal = (request: FastifyRequest, reply: FastifyReply, refusal: GatehouseError, owner: TokenOwner) => Promise<GatehouseError>

/** The limit of wrong tokens is no concern of a client that has a valid one. */
const SILENT = { 'ratelimit-limit': false, 'ratelimit-remaining': false, 'ratelimit-reset': false }

/**
 * Counts and audits refused access tokens. Only they count against the limit, after they were checked, so that a valid token works from every
 * address. A token that we issued does not count, as it is no guess: an expired one is about to be refreshed, a revoked one is audited.
 */
export async function refusalCounter (app: FastifyInstance, limit: RateLimitOptions): Promise<CountRefusal> {
  const options = named(limit, 'access-token')
  const check = options === false ? null : await rateCheck(app, { addHeaders: SILENT, addHeadersOnExceeding: SILENT, ...options })

  return async function countRefusal (request, reply, refusal, owner) {
    if (!isWrongToken(request, refusal)) return refusal
    if (owner === null) {
      try {
        await check?.call(app, request, reply)
      } catch (error) {
        return toPublicError(error)
      }
    }
    auditRefusedToken(request, 'access', refusal.reason, owner)
    return refusal
  }
}

/** Audits a wrong token, its repeats joined, where the app has an audit log. */
export function auditRefusedToken (request: FastifyRequest, token: 'access' | 'refresh', reason = 'unreadable', owner: TokenOwner = null): void {
  if (!request.server.hasDecorator('audit')) return
  request.server.audit({
    action: 'auth.token_refused',
    request,
    ...owner === null ? {} : { orgId: owner.org_id, resourceType: 'session', resourceId: owner.sid },
    userId: owner?.sub ?? null,
    changes: { token, reason },
    refusal: true
  })
}

function isWrongToken ({ headers }: FastifyRequest, { code }: GatehouseError): boolean {
  return code === 'INVALID_TOKEN' || (code === 'UNAUTHORIZED' && headers.authorization !== undefined)
}
