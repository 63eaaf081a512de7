import t from 'tap'

import { ConfigError } from '../../server/config/problems.js'
import { readConfig } from '../../server/config/index.js'

const OIDC = { OIDC_ISSUER: 'https://example.okta.com', OIDC_CLIENT_ID: 'gatehouse', SSO_DOMAINS: 'example.com' }

t.test('without variables, single sign-on has no provider and no domain', async (t) => {
  t.strictSame(readConfig({}).sso, {
    orgId: 'default',
    domains: [],
    policy: 'optional',
    roles: { claim: null, mapping: [], fallback: 'viewer' },
    oidc: null,
    saml: null
  })
  t.equal(readConfig({ SSO: 'off' }).sso, null)
})

t.test('the variables of the providers, the domains and the roles are read', async (t) => {
  const { sso } = readConfig({
    ...OIDC,
    OIDC_CLIENT_SECRET: 'current, previous',
    OIDC_SCOPES: 'openid email groups',
    SAML_METADATA: '/etc/idp.xml',
    SAML_NAME: 'Workforce',
    SSO: 'required',
    SSO_ORG: 'acme',
    SSO_DOMAINS: 'example.com, example.org',
    SSO_ROLE_CLAIM: 'groups',
    SSO_ROLES: 'cn=admins=admin, analysts=editor',
    SSO_DEFAULT_ROLE: 'none'
  })
  t.strictSame(sso, {
    orgId: 'acme',
    domains: ['example.com', 'example.org'],
    policy: 'required',
    roles: {
      claim: 'groups',
      mapping: [{ value: 'cn=admins', role: 'admin' }, { value: 'analysts', role: 'editor' }],
      fallback: null
    },
    oidc: {
      issuer: 'https://example.okta.com',
      clientId: 'gatehouse',
      clientSecrets: ['current', 'previous'],
      name: 'OpenID Connect',
      scopes: 'openid email groups'
    },
    saml: { metadataFile: '/etc/idp.xml', name: 'Workforce' }
  })
})

const WRONG: ReadonlyArray<[name: string, variables: Record<string, string>]> = [
  ['SSO_DOMAINS', { ...OIDC, SSO_DOMAINS: '' }],
  ['SSO_DOMAINS', { SAML_METADATA: 'idp.xml' }],
  ['SSO_DOMAINS', { SSO_DOMAINS: 'localhost' }],
  ['SSO_DOMAINS', { SSO_DOMAINS: 'https://intranet.example.net' }],
  ['OIDC_CLIENT_ID', { ...OIDC, OIDC_CLIENT_ID: '' }],
  ['OIDC_ISSUER', { ...OIDC, OIDC_ISSUER: 'login.example.net' }],
  ['SSO', { SSO: 'required' }],
  ['SSO', { SSO: 'yes' }],
  ['SSO_ROLES', { SSO_ROLES: 'admins=root', SSO_ROLE_CLAIM: 'groups' }],
  ['SSO_ROLES', { SSO_ROLE_CLAIM: 'groups' }],
  ['SSO_ROLE_CLAIM', { SSO_ROLES: 'admins=admin' }],
  ['SSO_DEFAULT_ROLE', { SSO_DEFAULT_ROLE: 'owner' }],
  ['PUBLIC_URL', { ...OIDC, NODE_ENV: 'production' }]
]

for (const [name, variables] of WRONG) {
  t.test(`${JSON.stringify(variables)} is a problem of ${name}`, async (t) => {
    const error = t.throws(() => readConfig(variables)) as ConfigError
    t.type(error, ConfigError)
    t.match(error.message, new RegExp(`^[ -]*${name} `, 'm'))
    for (const value of Object.values(variables)) {
      if (value.length > 10) t.notMatch(error.message, value.replace('https://', ''))
    }
  })
}
