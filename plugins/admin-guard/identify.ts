import type { FastifyRequest } from 'fastify'

import { INVALID_TOKEN, UNAUTHORIZED } from '../../lib/errors.js'
import { singleHeader } from '../../lib/http/single-header.js'
import { UnknownKeyLimiter } from '../../lib/limits/unknown-key-limiter.js'
import type { AccessClaims } from '../../lib/admin-tokens/index.js'
import type { ApiKeyAccess, ApiKeys, SessionAccess, Sessions } from '../../contracts/token-store/index.js'
import { isApiKey } from '../../signing/api-key.js'
import { sha256Hex } from '../../signing/digest.js'
import { apiKeyAdmin } from './admin.js'
import type { ApiKeyAdmin, UserAdmin } from './admin.js'

const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i

/** Looks up the access data of an API key by its digest. */
type FindKey = (digest: string) => ApiKeyAccess | null | Promise<ApiKeyAccess | null>

/** Returns the Bearer token. Throws `UNAUTHORIZED` for a missing, repeated or other Authorization header. */
export function bearer (rawHeaders: readonly string[]): string {
  const header = singleHeader(rawHeaders, 'authorization')
  if (header === null) throw new UNAUTHORIZED({ reason: 'two Authorization headers' })
  if (header === undefined) throw new UNAUTHORIZED({ reason: 'no Authorization header' })
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) throw new UNAUTHORIZED({ reason: 'not a Bearer token' })
  return token
}

/** Returns whether a Bearer token claims to be an API key; no JWT starts in this way. */
export function looksLikeApiKey (token: string): boolean {
  return token.startsWith('gh_')
}

/** Returns a function that looks up API keys for a request and limits the look-ups of unknown keys per address. */
export function limitedKeyFinder (apiKeys: ApiKeys): (request: FastifyRequest) => FindKey {
  const limiter = new UnknownKeyLimiter({})
  return (request) => (digest) => limiter.look(digest, request, apiKeys)
}

/** Returns the caller with an API key. Throws `INVALID_TOKEN`. The look-up by digest takes no secret-dependent time. */
export async function identifyKey (token: string, find: FindKey): Promise<ApiKeyAdmin> {
  if (!isApiKey(token)) throw new INVALID_TOKEN({ reason: 'not an API key that this server issues' })
  const access = await find(sha256Hex(token))
  if (access === null) throw new INVALID_TOKEN({ reason: 'the API key is unknown, revoked or expired' })
  return apiKeyAdmin(access)
}

/** Returns the administrator of a verified access token, synchronously if the store does. Throws `INVALID_TOKEN`. */
export function identifyUser (claims: AccessClaims, sessions: Sessions): UserAdmin | Promise<UserAdmin> {
  const access = sessions.access(claims.sid)
  return access instanceof Promise ? access.then((access) => userOf(claims, access)) : userOf(claims, access)
}

function userOf (claims: AccessClaims, access: SessionAccess | null): UserAdmin {
  if (access === null) throw new INVALID_TOKEN({ reason: 'the session has ended' })
  const { userId, orgId, epoch, role, email, mfaAt, hasFactor, mfaRequired, providerId = null } = access
  if (userId !== claims.sub || orgId !== claims.org_id) {
    throw new INVALID_TOKEN({ reason: 'the token belongs to another user than the session' })
  }
  if (epoch !== claims.epoch) throw new INVALID_TOKEN({ reason: 'revoked' })
  const { sid } = claims
  return { kind: 'user', sub: userId, org_id: orgId, role, email, sid, mfaAt, hasFactor, mfaRequired, providerId }
}
