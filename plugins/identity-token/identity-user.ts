import type { FastifyRequest } from 'fastify'

import { isEpochMilliseconds } from '../../lib/authorize.js'
import { FORBIDDEN, INTERNAL_ERROR, INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { qualifiedId } from '../../lib/signed-users.js'
import type { IdentityToken } from './verified-claims.js'

/** The user of a request with an identity token. */
export interface IdentityUser {
  /** Id of the user, with the name of the provider if it has one. */
  user: string
  /** Id of the tenant, with the name of the provider if it has one; `null` without the option `tenant`. */
  tenant: string | null
  /** The time that revocations are compared with, in epoch milliseconds. */
  issuedAt: number
  /** The verified claims. */
  claims: Record<string, unknown>
  token: IdentityToken
}

/**
 * Options of `identityGrant` of the embedding routes. `Grant` is what the route's `authorize` returns, and `Details`
 * are its parameters after the request.
 */
export interface IdentityGrantOptions<Grant extends object, Details extends readonly unknown[] = []> {
  /**
   * Claim that identifies the user, or a function that returns the id. `email` also requires `email_verified: true`.
   * Names of claims may be paths, such as `o.id`. The name of the provider precedes the value of a claim, but not the
   * result of a function. Default: `sub`.
   */
  user?: string | ((token: IdentityToken) => string)
  /** Claim that identifies the tenant, or a function, as for `user`. Default: none. */
  tenant?: string | ((token: IdentityToken) => string)
  /**
   * Claim with the time that revocations are compared with, in seconds. With `auth_time`, the time of the login, a
   * revocation also refuses the tokens that the provider issues later in the same session. Default: `iat`.
   */
  issuedAt?: string
  /**
   * Returns what the user may see, or other properties of the route's grant; they replace the default ones. `null`
   * refuses the user with 403. In the Bold BI route its second parameter contains the requested dashboards. Default: no
   * further properties.
   */
  grant?: (user: IdentityUser, ...details: Details) => Partial<Grant> | null | Promise<Partial<Grant> | null>
}

const KNOWN: KnownOptions<IdentityGrantOptions<object>> = { user: true, tenant: true, issuedAt: true, grant: true }
const MAX_ID = 256

/**
 * Returns a function for the option `authorize` of a route: it identifies the user of the request's identity token and
 * returns what `combine` makes of the user and of the result of `grant`, or `null` without a token. Throws
 * `INVALID_OPTIONS`.
 */
export function grantByIdentity<Grant extends object, Details extends readonly unknown[] = []> (
  options: IdentityGrantOptions<Grant, Details>,
  combine: (user: IdentityUser, granted: Partial<Grant>) => Grant
): (request: FastifyRequest, ...details: Details) => Promise<Grant | null> {
  refuseUnknownMembers('identityGrant', '', options, KNOWN)
  const { user = 'sub', tenant, issuedAt = 'iat', grant } = options
  assertSelector('user', user)
  if (tenant !== undefined) assertSelector('tenant', tenant)
  assertClaim('issuedAt', issuedAt)
  if (grant !== undefined && typeof grant !== 'function') {
    throw new INVALID_OPTIONS('identityGrant: "grant" must be a function')
  }

  return async function authorizeByIdentity (request: { identityToken?: IdentityToken | null }, ...details) {
    const { identityToken: token } = request
    if (token === null) return null
    if (token === undefined) {
      throw new INTERNAL_ERROR({ reason: 'identityGrant needs the identityToken plugin, registered before the route' })
    }
    const identity: IdentityUser = {
      user: idOf(token, 'user', user),
      tenant: tenant === undefined ? null : idOf(token, 'tenant', tenant),
      issuedAt: timeOf(token, issuedAt),
      claims: token.claims,
      token
    }
    const granted: Partial<Grant> | null = grant === undefined ? {} : await grant(identity, ...details)
    if (granted === null) throw new FORBIDDEN({ reason: '"grant" refused the user of the identity token' })
    return combine(identity, granted)
  }
}

function idOf (token: IdentityToken, option: string, selector: string | ((token: IdentityToken) => string)): string {
  const { claims, provider } = token
  const value = typeof selector === 'function' ? selector(token) : claimOf(claims, selector)
  if (selector === 'email' && claims['email_verified'] !== true) {
    throw new FORBIDDEN({ reason: 'the email of the identity token is not verified ("email_verified")' })
  }
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof id !== 'string' || id === '') {
    throw new FORBIDDEN({ reason: `the identity token does not contain the ${option}; check the option "${option}"` })
  }
  const qualified = typeof selector === 'function' ? id : qualifiedId(provider, id)
  if (qualified.length > MAX_ID) throw new FORBIDDEN({ reason: `the ${option} has more than ${MAX_ID} characters` })
  return qualified
}

function timeOf (token: IdentityToken, claim: string): number {
  if (claim === 'iat') return token.issuedAt
  const seconds = claimOf(token.claims, claim)
  const time = typeof seconds === 'number' ? seconds * 1_000 : undefined
  if (isEpochMilliseconds(time)) return Math.min(time, token.issuedAt)
  throw new FORBIDDEN({ reason: 'the identity token does not contain the time that the option "issuedAt" names' })
}

/** Returns the claim of that name, else the value at that path: names of claims may contain dots, such as URLs. */
function claimOf (claims: object, name: string): unknown {
  let value: unknown = claims
  for (const part of Object.hasOwn(claims, name) ? [name] : name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

function assertSelector (option: string, selector: unknown): void {
  if (typeof selector !== 'function') assertClaim(option, selector)
}

function assertClaim (option: string, claim: unknown): void {
  if (typeof claim === 'string' && claim !== '') return
  throw new INVALID_OPTIONS(`identityGrant: "${option}" must be the name of a claim`)
}
