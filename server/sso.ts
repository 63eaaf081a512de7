import { readFile } from 'node:fs/promises'

import type { FastifyInstance } from 'fastify'

import type { RoleRules } from '../contracts/token-store/index.js'
import adminOidc from '../routes/admin/oidc/index.js'
import type { ConfiguredOidcProvider, OidcSettings } from '../routes/admin/oidc/index.js'
import adminSaml from '../routes/admin/saml/index.js'
import type { ConfiguredSamlProvider } from '../routes/admin/saml/index.js'
import type { SsoOptions } from '../routes/admin/sso/options.js'
import type { Config } from './config/index.js'
import type { SsoConfig } from './config/sso.js'
import { MOCK_DOMAIN, MOCK_OIDC_ID, MOCK_SAML_ID } from './identity-mocks.js'
import type { IdentityMocks } from './identity-mocks.js'
import type { Secrets } from './secrets.js'
import { adminPages } from './sso-paths.js'

interface SsoParts {
  config: Config
  secrets: Secrets
  /** The URL that browsers reach the server at. */
  publicUrl: string
  /** `null`: no mock identity providers run. */
  mocks: IdentityMocks | null
}

const MINUTE = 60_000
const MOCK_ROLES: RoleRules = {
  claim: 'groups',
  mapping: [{ value: 'analytics-admins', role: 'admin' }, { value: 'analytics-editors', role: 'editor' }],
  fallback: 'viewer'
}

/** Registers single sign-on of administrators, unless it is off, or PUBLIC_URL is missing in production. */
export async function singleSignOn (app: FastifyInstance, parts: SsoParts): Promise<void> {
  const { config: { sso, limits, production, publicUrl: ownUrl }, secrets, publicUrl, mocks } = parts
  if (sso === null || (production && ownUrl === null)) return
  const shared: SsoOptions = {
    jwtSecrets: secrets.JWT_SECRET,
    publicUrl,
    loginPage: adminPages(parts.config).signIn,
    domains: mocks === null
      ? sso.domains.map((domain) => ({ domain, orgId: sso.orgId, sso: sso.policy }))
      : [{ domain: MOCK_DOMAIN, orgId: sso.orgId, sso: 'optional' }],
    loginRateLimit: { max: 6 * limits.LOGIN_RATE_MAX, timeWindow: MINUTE },
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: MINUTE }
  }
  await app.register(adminOidc, {
    ...shared,
    providers: [...oidcOf(sso), ...mockOidc(sso, mocks)],
    allowPrivateProviders: !production
  })
  await app.register(adminSaml, { ...shared, providers: [...await samlOf(sso), ...mockSaml(sso, mocks)] })
}

function oidcOf ({ orgId, roles, oidc }: SsoConfig): ConfiguredOidcProvider[] {
  if (oidc === null) return []
  const { issuer, clientId, clientSecrets, name, scopes } = oidc
  const settings: OidcSettings = {
    issuer,
    client_id: clientId,
    ...scopes === null ? {} : { scopes: scopes.split(/\s+/) },
    ...clientSecrets.length === 0 ? { token_endpoint_auth_method: 'none' } : {}
  }
  return [{ id: 'oidc', orgId, name, settings, secrets: clientSecrets, roles }]
}

async function samlOf ({ orgId, roles, saml }: SsoConfig): Promise<ConfiguredSamlProvider[]> {
  if (saml === null) return []
  const metadata = await readFile(saml.metadataFile, 'utf8').catch((cause: unknown) => {
    throw new Error('SAML_METADATA: the file cannot be read', { cause })
  })
  return [{ id: 'saml', orgId, name: saml.name, settings: { metadata_xml: metadata }, roles }]
}

function mockOidc ({ orgId }: SsoConfig, mocks: IdentityMocks | null): ConfiguredOidcProvider[] {
  if (mocks === null) return []
  const { issuer, clientId, clientSecret } = mocks.oidc
  const settings = { issuer, client_id: clientId, trust_mfa: [] }
  return [{ id: MOCK_OIDC_ID, orgId, name: 'Mock OpenID', settings, secrets: [clientSecret], roles: MOCK_ROLES }]
}

function mockSaml ({ orgId }: SsoConfig, mocks: IdentityMocks | null): ConfiguredSamlProvider[] {
  if (mocks === null) return []
  const { entityId, ssoUrl, sloUrl, certificates } = mocks.saml
  const settings = {
    entry_point: ssoUrl,
    idp_entity_id: entityId,
    certificates: [...certificates],
    logout_url: sloUrl
  }
  return [{ id: MOCK_SAML_ID, orgId, name: 'Mock SAML', settings, roles: MOCK_ROLES }]
}
