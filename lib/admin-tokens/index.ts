import { randomUUID } from 'node:crypto'

import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'
import { capturePlugin } from '../capture-plugin.js'
import { EXPIRED_TOKEN, INVALID_OPTIONS, INVALID_TOKEN } from '../errors.js'
import { readJwt } from './jwt-text.js'
import { assertNonEmpty, assertWholeSeconds } from '../options.js'
import type { KnownOptions } from '../options.js'
import { derivedKey } from '../../signing/derived-key.js'
import { sha256Hex } from '../../signing/digest.js'
import { secretBox } from '../../signing/secret-box.js'
import type { SecretBox } from '../../signing/secret-box.js'
import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'

export interface AdminTokensOptions {
  /** Secrets, `[current, …previous]`, each at least 32 bytes: the first one signs, all of them verify. */
  jwtSecrets: readonly string[]
  /** Issuer of access tokens, their `iss`. Default: `'fastify-gatehouse'`. */
  issuer?: string
  /** Audience of access tokens, their `aud`. Default: `'fastify-gatehouse:admin'`. */
  audience?: string
  /**
   * Lifetime of an access token in milliseconds: whole seconds from 10 000 to 3 600 000. Default: 900 000 (15 min).
   */
  accessTtl?: number
  /**
   * Lifetime of a refresh token in milliseconds: whole seconds from 10 000 to 2 592 000 000. Default: 604 800 000
   * (7 days).
   */
  refreshTtl?: number
  /** The clock, in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** The names of all properties of `AdminTokensOptions`. */
export const TOKEN_OPTIONS: KnownOptions<AdminTokensOptions> = {
  jwtSecrets: true,
  issuer: true,
  audience: true,
  accessTtl: true,
  refreshTtl: true,
  now: true
}

export interface AccessClaims {
  sub: string
  org_id: string
  role: Role
  /** The session id. */
  sid: string
  /** The generation of the user's tokens; a higher one invalidates earlier tokens. */
  epoch: number
  jti: string
  iat: number
  exp: number
}

export type RefreshClaims = Omit<AccessClaims, 'role' | 'epoch'>

/** Signs and verifies the access and refresh tokens of administrators. */
export interface AdminTokens {
  /** Lifetime of an access token, in milliseconds. */
  readonly accessTtl: number
  /** Lifetime of a refresh token, in milliseconds. */
  readonly refreshTtl: number
  /**
   * Lifetime in seconds of an access token issued now: `accessTtl`, or less if the session ends (`endsAt`, epoch ms)
   * earlier.
   */
  accessLifeSeconds(endsAt: number): number
  /** Issues an access token that expires no later than its session (`endsAt`, epoch ms; default: never). */
  issueAccess(user: Pick<AccessClaims, 'sub' | 'org_id' | 'role' | 'sid' | 'epoch'> & { endsAt?: number }): string
  /** Issues a refresh token that expires no later than its session (`endsAt`, epoch ms), and the digest of its id. */
  issueRefresh(
    session: Pick<RefreshClaims, 'sub' | 'org_id' | 'sid'> & { endsAt: number }
  ): { token: string, digest: string }
  /** Throws `INVALID_TOKEN` or `EXPIRED_TOKEN`. Does not check that the session still exists. */
  verifyAccess(token: string): AccessClaims
  /** Throws the same errors as `verifyAccess`. */
  verifyRefresh(token: string): RefreshClaims
  /** Derives a key for one purpose from each secret, in the order of `jwtSecrets`: the first one signs, all verify. */
  keysFor(purpose: string): readonly [Buffer, ...Buffer[]]
  /** Encrypts values that clients return later, such as list cursors, under keys derived from `jwtSecrets`. */
  readonly box: SecretBox
}

interface Key {
  id: string
  sign: (claims: object) => string
  verify: (token: string) => unknown
}
type Claims = Readonly<Record<string, unknown>>

const DAY = 86_400_000
const SKEW = 30
const MAX_TEXT = 256
const MAX_SIGNED = 1_000

/** Throws `INVALID_OPTIONS` for a weak or missing secret. Independent of any `@fastify/jwt` of the host. */
export async function createAdminTokens (app: FastifyInstance, options: AdminTokensOptions): Promise<AdminTokens> {
  const {
    jwtSecrets,
    issuer = 'fastify-gatehouse',
    audience = 'fastify-gatehouse:admin',
    accessTtl = 900_000,
    refreshTtl = 7 * DAY,
    now = Date.now
  } = options
  checkSecrets(jwtSecrets)
  assertWholeSeconds('admin-guard', 'accessTtl', accessTtl, 10_000, 3_600_000)
  assertWholeSeconds('admin-guard', 'refreshTtl', refreshTtl, 10_000, 30 * DAY)
  for (const [name, value] of Object.entries({ issuer, audience })) {
    assertNonEmpty('admin-guard', name, value)
  }
  const keys = await keysOf(app, jwtSecrets)
  const byId = new Map(keys.map((key) => [key.id, key]))
  const [current] = keys as [Key, ...Key[]]
  const seconds = () => Math.floor(now() / 1000)
  // The claims of tokens that this server has signed, by digest, because a client sends the same token many times.
  // Their times are checked each time, and the callers check the session. The keys never change.
  const signed = new LRUCache<string, Claims>(atMost(MAX_SIGNED))

  function accessLifeSeconds (endsAt: number): number {
    return Math.max(1, Math.min(accessTtl / 1000, Math.floor(endsAt / 1000) - seconds()))
  }

  /** Returns a separate copy of the claims of a token. Throws `INVALID_TOKEN` unless this server has signed it. */
  function claimsOf (token: string): Claims {
    const digest = sha256Hex(token)
    const known = signed.get(digest)
    if (known !== undefined) return { ...known }
    const parts = readJwt(token)
    if (parts === null) throw new INVALID_TOKEN({ reason: 'not a JWT that this server issues' })
    const { kid, claims } = parts
    const candidates = kid === undefined ? keys : [byId.get(kid)]
    if (!candidates.some((key) => key !== undefined && isSigned(key, token))) {
      throw new INVALID_TOKEN({ reason: 'signature' })
    }
    signed.set(digest, claims)
    return { ...claims }
  }

  function verify (token: string, type: 'access' | 'refresh', maxTtl: number): Claims {
    const claims = claimsOf(token)
    checkClaims(claims, type, maxTtl, seconds())
    return claims
  }

  return {
    accessTtl,

    refreshTtl,

    box: secretBox(jwtSecrets),

    accessLifeSeconds,

    issueAccess ({ sub, org_id, role, sid, epoch, endsAt = Infinity }) {
      const iat = seconds()
      const exp = iat + accessLifeSeconds(endsAt)
      return current.sign({
        sub,
        org_id,
        role,
        sid,
        epoch,
        jti: randomUUID(),
        type: 'access',
        iss: issuer,
        aud: audience,
        iat,
        exp
      })
    },

    issueRefresh ({ sub, org_id, sid, endsAt }) {
      const iat = seconds()
      const jti = randomUUID()
      const exp = Math.min(iat + refreshTtl / 1000, Math.floor(endsAt / 1000))
      return { token: current.sign({ sub, org_id, sid, jti, type: 'refresh', iat, exp }), digest: sha256Hex(jti) }
    },

    verifyAccess (token) {
      const claims = verify(token, 'access', accessTtl / 1000)
      const { role, epoch, iss, aud } = claims
      if (iss !== issuer || aud !== audience) throw new INVALID_TOKEN({ reason: 'iss or aud' })
      if (!ROLES.some((known) => known === role) || !Number.isSafeInteger(epoch)) {
        throw new INVALID_TOKEN({ reason: 'role or epoch' })
      }
      return claims as unknown as AccessClaims
    },

    verifyRefresh (token) {
      return verify(token, 'refresh', refreshTtl / 1000) as unknown as RefreshClaims
    },

    keysFor: (purpose) => jwtSecrets.map((secret) => derivedKey(secret, `admin ${purpose}`)) as [Buffer, ...Buffer[]]
  }
}

function checkSecrets (secrets: readonly string[]): void {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new INVALID_OPTIONS(
      'admin-guard: "jwtSecrets" is missing or empty; create a secret with `npx fastify-gatehouse generate-key`'
    )
  }
  for (const [index, secret] of secrets.entries()) {
    try {
      assertStrongSecret(`jwtSecrets[${index}]`, secret as string)
    } catch (error) {
      throw new INVALID_OPTIONS(`admin-guard: ${(error as Error).message}`)
    }
  }
  if (new Set(secrets).size !== secrets.length) {
    throw new INVALID_OPTIONS('admin-guard: "jwtSecrets" contains the same secret twice')
  }
}

/** Returns a signer and verifier for each secret. */
async function keysOf (app: FastifyInstance, secrets: readonly string[]): Promise<Key[]> {
  const keys: Key[] = []
  for (const secret of secrets) {
    // The key id identifies the secret without revealing anything about it.
    const id = sha256Hex(`fastify-gatehouse jwt kid\n${secret}`).slice(0, 12)
    // Expiry is checked against our clock.
    const { jwt } = await capturePlugin(app, fastifyJwt, {
      secret,
      sign: { algorithm: 'HS256', kid: id },
      verify: { algorithms: ['HS256'], cache: false, ignoreExpiration: true }
    }, { name: '@fastify/jwt', decorators: ['jwt'] }) as { jwt: FastifyInstance['jwt'] }
    keys.push({ id, sign: (claims) => jwt.sign(claims), verify: (token) => jwt.verify(token) })
  }
  return keys
}

function isSigned (key: Key, token: string): boolean {
  try {
    key.verify(token)
    return true
  } catch {
    return false
  }
}

function checkClaims (claims: Claims, type: string, maxTtl: number, now: number): void {
  const { iat, exp } = claims
  if (claims['type'] !== type) throw new INVALID_TOKEN({ reason: 'type' })
  if (![claims['sub'], claims['org_id'], claims['jti'], claims['sid']].every(isText)) {
    throw new INVALID_TOKEN({ reason: 'sub, org_id, jti or sid' })
  }
  if (!isTime(iat) || !isTime(exp) || exp <= iat || exp - iat > maxTtl || iat > now + SKEW) {
    throw new INVALID_TOKEN({ reason: 'iat or exp' })
  }
  if (exp <= now) throw new EXPIRED_TOKEN({ reason: 'exp' })
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT
}

function isTime (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}
