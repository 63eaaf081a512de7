import { Type } from '@sinclair/typebox'

import { matching, oneOf, text } from './variable.js'

/** The variables of single sign-on of administrators. */
export const ssoVariables = {
  SSO_DOMAINS: text(
    'Email domains whose users may log in through OIDC_ISSUER and SAML_METADATA, without a proof in DNS',
    { otherwise: 'none; required with OIDC_ISSUER and SAML_METADATA' }
  ),
  SSO: oneOf(
    '`required`: passwords of SSO_DOMAINS do not work, but for owners; `off`: no single sign-on',
    ['optional', 'required', 'off'],
    'optional'
  ),
  SSO_ORG: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    default: 'default',
    about: 'The id of the organisation that these users belong to',
    expected: 'the id of an organisation'
  }),
  SSO_ROLE_CLAIM: text(
    'The claim or attribute whose values SSO_ROLES maps to roles, such as groups',
    { maxLength: 200, otherwise: 'none; roles are managed here' }
  ),
  SSO_ROLES: matching(
    'Which values give which role, such as admins=admin,analysts=editor; the highest applies',
    '^[^,]+=(owner|admin|editor|viewer)(\\s*,[^,]+=(owner|admin|editor|viewer))*$',
    'a list such as admins=admin,analysts=editor',
    { otherwise: 'none' }
  ),
  SSO_DEFAULT_ROLE: oneOf(
    'The role of a user without such a value; `none` refuses the login',
    ['viewer', 'editor', 'admin', 'none'],
    'viewer'
  ),
  OIDC_ISSUER: matching(
    'An OpenID Connect provider of the administrators',
    '^https?://[^?#\\s]+$',
    'a URL such as https://example.okta.com',
    { otherwise: "the mock provider's, with mock products only; none in production" }
  ),
  OIDC_CLIENT_ID: text('The client id at that provider', { maxLength: 500 }),
  OIDC_CLIENT_SECRET: text('The client secret; a list of the current one, then previous ones', { otherwise: 'none' }),
  OIDC_NAME: text('The name of that provider on the login page', { maxLength: 100, otherwise: 'OpenID Connect' }),
  OIDC_SCOPES: text('The scopes to request', { maxLength: 500, otherwise: 'openid email profile' }),
  SAML_METADATA: text(
    "A SAML 2.0 identity provider of the administrators: the file of the provider's metadata",
    { maxLength: 1_000, otherwise: "the mock provider's, with mock products only; none in production" }
  ),
  SAML_NAME: text('The name of that provider on the login page', { maxLength: 100, otherwise: 'SAML' })
}
