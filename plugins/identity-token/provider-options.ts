import { providerUrl } from '../../lib/identity-provider/provider-url.js'
import { assertWholeSeconds, optionAssertion, refuseUnknownMembers } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { UpstreamClientOptions } from '../../lib/upstream-client/index.js'

/** A value that a claim must have. */
export type ClaimValue = string | number | boolean

export interface IdentityProviderOptions {
  /**
   * The exact `iss` of the provider's tokens, with its slash at the end if it has one (Auth0). An https URL, or http on
   * loopback.
   */
  issuer: string
  /**
   * Accepted values of `aud`: the client id for ID tokens, the API's identifier for access tokens. A token needs one of
   * them. Required unless `authorizedParties` is set; without it, tokens that contain `aud` are refused.
   */
  audience?: string | readonly string[]
  /**
   * Accepted values of `azp`: the client id, or the origin of the page (Clerk). A token needs one of them. Default:
   * `azp` is not checked.
   */
  authorizedParties?: string | readonly string[]
  /**
   * Short name of the provider, 1 to 32 lower-case letters, digits and `-`. The user and tenant ids of grants then
   * begin with it and `:`, because two providers may use the same id for different people. Required with several
   * providers. Default: none.
   */
  name?: string
  /**
   * URL of the key set. An https URL, or http on loopback. Default: `jwks_uri` of the discovery document, at
   * `/.well-known/openid-configuration` below the issuer, whose `issuer` must be equal.
   */
  jwksUrl?: string
  /** The public keys as a JSON Web Key Set, which never changes. Excludes `jwksUrl`. Default: they are fetched. */
  keys?: { readonly keys: ReadonlyArray<Readonly<Record<string, unknown>>> }
  /**
   * Accepted values of `alg`. Algorithms with a shared secret (`HS256`) and `none` are not possible. Default: `RS256`,
   * `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`.
   */
  algorithms?: readonly string[]
  /**
   * Maximum time since `iat`, in milliseconds, 1 000 or more, in steps of 1 000. Default: none, the lifetime is limited
   * by `exp` alone.
   */
  maxTokenAge?: number
  /** Claims that a token must contain, in addition to `iss`, `sub`, `iat` and `exp`. Default: none. */
  requiredClaims?: readonly string[]
  /**
   * Values that claims must have, such as `{ tid: 'a2c1…', email_verified: true }`; a list contains alternatives. A
   * claim that is a list must contain one of them. Default: none.
   */
  expectedClaims?: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>>
  /** Certificate authorities (PEM) that replace the system's own. Default: the system's own. */
  ca?: UpstreamClientOptions['ca']
}

export interface CheckedProvider {
  issuer: string
  name: string | null
  audience: readonly string[] | null
  authorizedParties: readonly string[] | null
  jwksUrl: string | null
  keys: IdentityProviderOptions['keys'] | null
  algorithms: readonly string[]
  maxTokenAge: number | null
  requiredClaims: readonly string[]
  expectedClaims: ReadonlyArray<[name: string, values: readonly ClaimValue[]]>
  ca: UpstreamClientOptions['ca']
}

/** The asymmetric algorithms of JWS. */
export const IDENTITY_ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const LONGEST_AGE = 31_536_000_000
/** Members of a JSON Web Key that are secret. */
const PRIVATE = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi']

const KNOWN: KnownOptions<IdentityProviderOptions> = {
  issuer: true,
  audience: true,
  authorizedParties: true,
  name: true,
  jwksUrl: true,
  keys: true,
  algorithms: true,
  maxTokenAge: true,
  requiredClaims: true,
  expectedClaims: true,
  ca: true
}
const assertOption: AssertOption = optionAssertion('identity-token')

/** Validates one provider and adds the defaults. `at` is its index, for messages. Throws `INVALID_OPTIONS`. */
export function checkedProvider (provider: IdentityProviderOptions, at: number): CheckedProvider {
  const path = `providers[${at}]`
  assertOption(typeof provider === 'object' && provider !== null, path, 'an object', provider)
  refuseUnknownMembers('identity-token', `${path}.`, provider, KNOWN)
  const { issuer, name = null, jwksUrl = null, keys = null, maxTokenAge = null, ca } = provider
  const { audience, authorizedParties, requiredClaims = [], expectedClaims = {} } = provider
  const { algorithms = IDENTITY_ALGORITHMS } = provider
  const issuerUrl = providerUrl(issuer, true)
  assertOption(
    issuerUrl !== null && issuerUrl.search === '' && issuerUrl.hash === '',
    `${path}.issuer`,
    'an https URL without a query (or http on loopback), exactly as in "iss"',
    issuer
  )
  assertOption(
    jwksUrl === null || providerUrl(jwksUrl, true) !== null,
    `${path}.jwksUrl`,
    'an https URL, or http on loopback',
    jwksUrl
  )
  assertOption(
    name === null || (typeof name === 'string' && /^[a-z0-9-]{1,32}$/.test(name)),
    `${path}.name`,
    '1 to 32 lower-case letters, digits and "-"',
    name
  )
  const audiences = checkedNames(`${path}.audience`, audience)
  const parties = checkedNames(`${path}.authorizedParties`, authorizedParties)
  assertOption(
    audiences !== null || parties !== null,
    `${path}.audience`,
    'the client id or the API that tokens are issued for; only with "authorizedParties" it can be left out'
  )
  assertOption(keys === null || jwksUrl === null, `${path}.keys`, 'left out if "jwksUrl" is set')
  assertOption(keys === null || isPublicKeySet(keys), `${path}.keys`, 'a JSON Web Key Set { keys: […] } of public keys')
  assertOption(
    isList(algorithms) && algorithms.every((each) => IDENTITY_ALGORITHMS.includes(each)),
    `${path}.algorithms`,
    `a non-empty list of ${IDENTITY_ALGORITHMS.join(', ')}`
  )
  if (maxTokenAge !== null) {
    assertWholeSeconds('identity-token', `${path}.maxTokenAge`, maxTokenAge, 1_000, LONGEST_AGE)
  }
  assertOption(
    Array.isArray(requiredClaims) && requiredClaims.every(isNonEmpty),
    `${path}.requiredClaims`,
    'a list of claim names'
  )
  return {
    issuer,
    name,
    audience: audiences,
    authorizedParties: parties,
    jwksUrl,
    keys,
    algorithms,
    maxTokenAge,
    requiredClaims,
    expectedClaims: checkedExpectations(`${path}.expectedClaims`, expectedClaims),
    ca
  }
}

function checkedNames (path: string, value: unknown): readonly string[] | null {
  if (value === undefined) return null
  const names: unknown = typeof value === 'string' ? [value] : value
  assertOption(isList(names), path, 'a non-empty string or a non-empty list of them')
  return names
}

function checkedExpectations (path: string, expected: unknown): CheckedProvider['expectedClaims'] {
  assertOption(typeof expected === 'object' && expected !== null && !Array.isArray(expected), path, 'an object')
  return Object.entries(expected).map(([name, value]: [string, unknown]) => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    assertOption(
      values.length > 0 && values.every((each) => ['string', 'number', 'boolean'].includes(typeof each)),
      `${path}.${name}`,
      'a string, a number, a boolean or a list of them'
    )
    return [name, values as readonly ClaimValue[]]
  })
}

function isPublicKeySet (set: unknown): boolean {
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null
  return Array.isArray(keys) && keys.length > 0 && keys.every((key: unknown) =>
    typeof key === 'object' && key !== null && 'kty' in key && !PRIVATE.some((name) => Object.hasOwn(key, name))
  )
}

function isList (value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isNonEmpty)
}

function isNonEmpty (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
