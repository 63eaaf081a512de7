import { randomUUID } from 'node:crypto'

import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'

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
  /** The secrets, `[current, …previous]`, each at least 32 bytes: the first signs, all verify. */
  jwtSecrets: readonly string[]
  /** Who issues access tokens, their `iss`. Default: `'fastify-gatehouse'`. */
  issuer?: string
  /** For whom access tokens are, their `aud`. Default: `'fastify-gatehouse:admin'`. */
  audience?: string
  /** How long an access token is valid, milliseconds, whole seconds from 10 000 to 3 600 000. Default: 900 000 (15 min). */
  accessTtl?: number
  /** How long a refresh token is valid, milliseconds, whole seconds from 10 000 to 2 592 000 000. Default: 604 800 000 (7 days). */
  refreshTtl?: number
  /** The clock, in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Every name of `AdminTokensOptions`. */
export const TOKEN_OPTIONS: KnownOptions<AdminTokensOptions> = {
  jwtSecrets: true, issuer: true, audience: true, accessTtl: true, refreshTtl: true, now: true
}

export interface AccessClaims {
  sub: string
  org_id: string
  role: Role
  /** The session. */
  sid: string
  /** The generation of the user's tokens. */
  epoch: number
  jti: string
  iat: number
  exp: number
}

export type RefreshClaims = Omit<AccessClaims, 'role' | 'epoch'>

/** Signs and verifies the tokens of administrators. */
export interface AdminTokens {
  /** How long an access token is valid, milliseconds. */
  readonly accessTtl: number
  /** The seconds that an access token issued now is valid: `accessTtl`, or what is left of a session that ends before (`endsAt`, epoch milliseconds). */
  accessLifeSeconds (endsAt: number): number
  /** An access token that ends with its session (`endsAt`, epoch milliseconds) at the latest. Default: the session outlives the token. */
  issueAccess (user: Pick<AccessClaims, 'sub' | 'org_id' | 'role' | 'sid' | 'epoch'> & { endsAt?: number }): string
  /** A refresh token that ends with its session (`endsAt`, epoch milliseconds) at the latest; `digest`: of its id, for the store. */
  issueRefresh (session: Pick<RefreshClaims, 'sub' | 'org_id' | 'sid'> & { endsAt: number }): { token: string, digest: string }
  /** Throws `INVALID_TOKEN` or `EXPIRED_TOKEN`. Whether the session still lives is for the store to say. */
  verifyAccess (token: string): AccessClaims
  /** Throws as `verifyAccess` does. */
  verifyRefresh (token: string): RefreshClaims
  /** A key for each of `jwtSecrets`, in their order, that serves one purpose alone: the first signs, all verify. */
  keysFor (purpose: string): readonly [Buffer, ...Buffer[]]
  /** Seals what clients hand back, such as the cursors of lists, under keys that are derived from `jwtSecrets`. */
  readonly box: SecretBox
}

interface Key { id: string, sign: (claims: object) => string, verify: (token: string) => unknown }
type Claims = Readonly<Record<string, unknown>>

const DAY = 86_400_000
const SKEW = 30
const MAX_TEXT = 256

/** Throws `INVALID_OPTIONS` for a weak or missing secret. Leaves the app's own `@fastify/jwt`, before or after, alone. */
export async function createAdminTokens (app: FastifyInstance, options: AdminTokensOptions): Promise<AdminTokens> {
  const { jwtSecrets, issuer = 'fastify-gatehouse', audience = 'fastify-gatehouse:admin', accessTtl = 900_000, refreshTtl = 7 * DAY, now = Date.now } = options
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

  function accessLifeSeconds (endsAt: number): number {
    return Math.max(1, Math.min(accessTtl / 1000, Math.floor(endsAt / 1000) - seconds()))
  }

  function verify (token: string, type: 'access' | 'refresh', maxTtl: number): Claims {
    const parts = readJwt(token)
    if (parts === null) throw new INVALID_TOKEN({ reason: 'not a token of ours' })
    const { kid, claims } = parts
    const candidates = kid === undefined ? keys : [byId.get(kid)]
    if (!candidates.some((key) => key !== undefined && isSigned(key, token))) throw new INVALID_TOKEN({ reason: 'signature' })
    checkClaims(claims, type, maxTtl, seconds())
    return claims
  }

  return {
    accessTtl,

    box: secretBox(jwtSecrets),

    accessLifeSeconds,

    issueAccess ({ sub, org_id, role, sid, epoch, endsAt = Infinity }) {
      const iat = seconds()
      const exp = iat + accessLifeSeconds(endsAt)
      return current.sign({ sub, org_id, role, sid, epoch, jti: randomUUID(), type: 'access', iss: issuer, aud: audience, iat, exp })
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
      if (!ROLES.some((known) => known === role) || !Number.isSafeInteger(epoch)) throw new INVALID_TOKEN({ reason: 'role or epoch' })
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
    throw new INVALID_OPTIONS('admin-guard: "jwtSecrets" is missing or empty; make a secret with `npx fastify-gatehouse generate-key`')
  }
  for (const [index, secret] of secrets.entries()) {
    try {
      assertStrongSecret(`jwtSecrets[${index}]`, secret as string)
    } catch (error) {
      throw new INVALID_OPTIONS(`admin-guard: ${(error as Error).message}`)
    }
  }
  if (new Set(secrets).size !== secrets.length) throw new INVALID_OPTIONS('admin-guard: "jwtSecrets" holds one secret twice')
}

/** The signer and verifier of each secret. */
async function keysOf (app: FastifyInstance, secrets: readonly string[]): Promise<Key[]> {
  const keys: Key[] = []
  for (const secret of secrets) {
    // The id must name the secret without being a hint to it.
    const id = sha256Hex(`fastify-gatehouse jwt kid\n${secret}`).slice(0, 12)
    // Times are compared with our own clock; a verified token is never kept, as it may be revoked.
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
  if (![claims['sub'], claims['org_id'], claims['jti'], claims['sid']].every(isText)) throw new INVALID_TOKEN({ reason: 'sub, org_id, jti or sid' })
  if (!isTime(iat) || !isTime(exp) || exp <= iat || exp - iat > maxTtl || iat > now + SKEW) throw new INVALID_TOKEN({ reason: 'iat or exp' })
  if (exp <= now) throw new EXPIRED_TOKEN({ reason: 'exp' })
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT
}

function isTime (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}
