import { providerUrl } from '../../lib/identity-provider/provider-url.js'
import { IDENTITY_ALGORITHMS } from '../../plugins/identity-token/provider-options.js'
import type { ClaimValue } from '../../plugins/identity-token/index.js'
import type { Environment } from './environment.js'
import type { Problems } from './problems.js'

/** The identity provider whose tokens identify the end users of the embedding routes. */
export interface IdentityConfig {
  issuer: string
  audience: string[]
  authorizedParties: string[]
  jwksUrl: string | null
  /** `null`: all that the plugin accepts. */
  algorithms: string[] | null
  expectedClaims: Record<string, ClaimValue[]>
  userClaim: string
  tenantClaim: string | null
  timeClaim: string
  header: string | null
  cookie: string | null
}

/** The variables that have no effect without an issuer. */
const DEPENDENT = [
  'IDENTITY_AUDIENCE',
  'IDENTITY_AUTHORIZED_PARTIES',
  'IDENTITY_JWKS_URL',
  'IDENTITY_ALGORITHMS',
  'IDENTITY_CLAIMS',
  'IDENTITY_TENANT_CLAIM',
  'IDENTITY_HEADER',
  'IDENTITY_COOKIE'
] as const

/** Returns `null` if no identity provider is configured. */
export function identityOf (environment: Environment, problems: Problems): IdentityConfig | null {
  const { IDENTITY_ISSUER: issuer, IDENTITY_JWKS_URL: jwksUrl = null, IDENTITY_ALGORITHMS: algorithms } = environment
  if (issuer === undefined) {
    for (const name of DEPENDENT) {
      if (environment[name] !== undefined) problems.add(name, 'has no effect without IDENTITY_ISSUER; set that too')
    }
    return null
  }
  if (providerUrl(issuer, true) === null) {
    problems.add('IDENTITY_ISSUER', 'must be an https URL (http only on this machine), exactly as in the tokens')
  }
  if (jwksUrl !== null && providerUrl(jwksUrl, true) === null) {
    problems.add('IDENTITY_JWKS_URL', 'must be an https URL (http only on this machine)')
  }
  const config = {
    issuer,
    audience: listOf(environment.IDENTITY_AUDIENCE),
    authorizedParties: listOf(environment.IDENTITY_AUTHORIZED_PARTIES),
    jwksUrl,
    algorithms: algorithms === undefined ? null : listOf(algorithms),
    expectedClaims: claimsOf(environment.IDENTITY_CLAIMS, problems),
    userClaim: environment.IDENTITY_USER_CLAIM,
    tenantClaim: environment.IDENTITY_TENANT_CLAIM ?? null,
    timeClaim: environment.IDENTITY_TIME_CLAIM,
    header: environment.IDENTITY_HEADER ?? null,
    cookie: environment.IDENTITY_COOKIE ?? null
  }
  if (config.audience.length === 0 && config.authorizedParties.length === 0) {
    problems.add(
      'IDENTITY_AUDIENCE',
      'is missing; set it to the client id or the API that tokens are issued for, or set IDENTITY_AUTHORIZED_PARTIES ' +
        'for a provider without audiences'
    )
  }
  if (config.algorithms?.every((each) => IDENTITY_ALGORITHMS.includes(each)) === false) {
    problems.add('IDENTITY_ALGORITHMS', `must be a list of ${IDENTITY_ALGORITHMS.join(', ')}`)
  }
  return config
}

/** Reads `name=value` pairs. A value may be the string, the number or the boolean that it spells. */
function claimsOf (text: string | undefined, problems: Problems): Record<string, ClaimValue[]> {
  const claims: Record<string, ClaimValue[]> = {}
  for (const pair of listOf(text)) {
    const [, name, value = ''] = /^([^=\s]+)\s*=\s*(.+)$/.exec(pair) ?? []
    if (name === undefined) {
      problems.add('IDENTITY_CLAIMS', 'must be a list of claims and values such as email_verified=true')
      continue
    }
    claims[name] = [...claims[name] ?? [], value]
    if (value === 'true' || value === 'false') claims[name].push(value === 'true')
    else if (String(Number(value)) === value) claims[name].push(Number(value))
  }
  return claims
}

function listOf (text = ''): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}
