import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { RefreshClaims } from '../../lib/admin-tokens/index.js'
import type { GatehouseError } from '../../lib/errors.js'
import { named, rateCheck } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { toPublicError } from '../../lib/refuse.js'

/** The user, the organisation and the session of a token that the suite has signed; `null` for any other token. */
export type TokenOwner = Pick<RefreshClaims, 'sub' | 'org_id' | 'sid'> | null

/** Resolves with the error to send: the refusal, or `RATE_LIMITED` after too many refused tokens from the address. */
export type CountRefusal = (
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: GatehouseError,
  presented: { credential: 'access' | 'api_key', owner: TokenOwner }
) => Promise<GatehouseError>

/** Suppresses the rate-limit headers, because the limit does not apply to valid tokens. */
const SILENT = { 'ratelimit-limit': false, 'ratelimit-remaining': false, 'ratelimit-reset': false }

/**
 * Counts and audits refused access tokens and API keys. They are counted after their check, so that a valid credential
 * works from each address. A token that the suite has signed is not counted, because it is not a guess: it has expired
 * or was revoked.
 */
export async function refusalCounter (app: FastifyInstance, limit: RateLimitOptions): Promise<CountRefusal> {
  const options = named(limit, 'access-token')
  const check = options === false
    ? null
    : await rateCheck(app, { addHeaders: SILENT, addHeadersOnExceeding: SILENT, ...options })

  return async function countRefusal (request, reply, refusal, { credential, owner }) {
    if (!isWrongToken(request, refusal)) return refusal
    if (owner === null) {
      try {
        await check?.call(app, request, reply)
      } catch (error) {
        return toPublicError(error)
      }
    }
    auditRefusedToken(request, credential, refusal.reason, owner)
    return refusal
  }
}

/** Audits a refused token if the app has an audit log. Repeats share one entry. */
export function auditRefusedToken (
  request: FastifyRequest,
  token: 'access' | 'refresh' | 'api_key',
  reason = 'unreadable',
  owner: TokenOwner = null
): void {
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
