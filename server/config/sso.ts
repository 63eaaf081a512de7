import type { Role, RoleRules, SsoPolicy } from '../../contracts/token-store/index.js'
import { domainNameOf } from '../../routes/admin/sso/domain-name.js'
import type { Environment } from './environment.js'
import type { Problems } from './problems.js'

/** Single sign-on of administrators. */
export interface SsoConfig {
  /** The organisation of the configured providers. */
  orgId: string
  /** Email domains that the operator vouches for. */
  domains: string[]
  policy: SsoPolicy
  roles: RoleRules
  oidc: { issuer: string, clientId: string, clientSecrets: string[], name: string, scopes: string | null } | null
  saml: { metadataFile: string, name: string } | null
}

/** Returns `null` if single sign-on is off. */
export function ssoOf (environment: Environment, problems: Problems): SsoConfig | null {
  const { SSO: policy, SSO_ORG: orgId, OIDC_ISSUER: issuer, SAML_METADATA: metadataFile } = environment
  if (policy === 'off') return null
  const domains = listOf(environment.SSO_DOMAINS)
  if (!domains.every((domain) => domainNameOf(domain) !== null)) {
    problems.add('SSO_DOMAINS', 'must be a list of domains such as example.com')
  }
  for (const [name, value] of Object.entries({ OIDC_ISSUER: issuer, SAML_METADATA: metadataFile })) {
    if (value === undefined) continue
    if (domains.length === 0) problems.add('SSO_DOMAINS', `is required with ${name}`)
    if (environment.NODE_ENV === 'production' && environment.PUBLIC_URL === undefined) {
      problems.add('PUBLIC_URL', `is required with ${name} in production`)
    }
  }
  if (policy === 'required' && issuer === undefined && metadataFile === undefined) {
    problems.add('SSO', 'can be "required" only with OIDC_ISSUER or SAML_METADATA')
  }
  return {
    orgId,
    domains,
    policy,
    roles: rolesOf(environment, problems),
    oidc: issuer === undefined ? null : oidcOf(issuer, environment, problems),
    saml: metadataFile === undefined ? null : { metadataFile, name: environment.SAML_NAME ?? 'SAML' }
  }
}

function oidcOf (issuer: string, environment: Environment, problems: Problems): SsoConfig['oidc'] {
  const { OIDC_CLIENT_ID: clientId, OIDC_NAME: name = 'OpenID Connect', OIDC_SCOPES: scopes = null } = environment
  if (clientId === undefined) problems.add('OIDC_CLIENT_ID', 'is required with OIDC_ISSUER')
  return { issuer, clientId: clientId ?? '', clientSecrets: listOf(environment.OIDC_CLIENT_SECRET), name, scopes }
}

function rolesOf (environment: Environment, problems: Problems): RoleRules {
  const { SSO_ROLE_CLAIM: claim = null, SSO_ROLES: text, SSO_DEFAULT_ROLE: fallback } = environment
  if ((claim === null) !== (text === undefined)) {
    problems.add(claim === null ? 'SSO_ROLE_CLAIM' : 'SSO_ROLES', 'is missing; set both SSO_ROLE_CLAIM and SSO_ROLES')
  }
  const mapping = listOf(text).map((pair) => {
    const at = pair.lastIndexOf('=')
    return { value: pair.slice(0, at).trim(), role: pair.slice(at + 1) as Role }
  })
  return { claim, mapping, fallback: fallback === 'none' ? null : fallback }
}

function listOf (text: string | undefined): string[] {
  return (text ?? '').split(',').map((item) => item.trim()).filter((item) => item !== '')
}
