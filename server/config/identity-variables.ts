import { Type } from '@sinclair/typebox'

import { matching, text } from './variable.js'

/** The variables of the identity provider of end users. */
export const identityVariables = {
  IDENTITY_ISSUER: matching(
    'The identity provider whose tokens (JWT) identify the end users of the embedding routes: the exact "iss"',
    '^https?://',
    'a URL such as https://acme.eu.auth0.com/',
    { otherwise: 'none; tokens of identity providers are not read' }
  ),
  IDENTITY_AUDIENCE: text(
    'The accepted audiences ("aud"): the client id, or the API that the tokens are issued for',
    { otherwise: 'none; required with IDENTITY_ISSUER, unless IDENTITY_AUTHORIZED_PARTIES is set' }
  ),
  IDENTITY_AUTHORIZED_PARTIES: text(
    'The accepted authorized parties ("azp"); for Clerk, the origins of the pages',
    { otherwise: 'none; "azp" is not checked' }
  ),
  IDENTITY_JWKS_URL: matching(
    'The key set of the provider',
    '^https?://',
    'a URL',
    { otherwise: 'the one in the discovery document of IDENTITY_ISSUER' }
  ),
  IDENTITY_ALGORITHMS: text(
    'The accepted signature algorithms, such as RS256',
    { maxLength: 200, otherwise: 'all asymmetric algorithms' }
  ),
  IDENTITY_CLAIMS: text(
    'Values that claims must have, such as email_verified=true; several values of one claim are alternatives',
    { otherwise: 'none' }
  ),
  IDENTITY_USER_CLAIM: Type.String({
    minLength: 1,
    maxLength: 256,
    default: 'sub',
    about: 'The claim that identifies the user; `email` also requires that email_verified is true',
    expected: 'the name of a claim, or a path such as o.id'
  }),
  IDENTITY_TENANT_CLAIM: text(
    "The claim that identifies the tenant, which is then DataBrain's client id; tokens without it are refused",
    { maxLength: 256, otherwise: "none; DataBrain's client id is the user" }
  ),
  IDENTITY_TIME_CLAIM: Type.String({
    minLength: 1,
    maxLength: 256,
    default: 'iat',
    about: 'The claim that revocations are compared with; `auth_time` is the time of the login',
    expected: 'the name of a claim with a time in seconds'
  }),
  IDENTITY_HEADER: matching(
    'A header that contains only the token, in addition to `Authorization: Bearer`',
    '^(?![Aa]uthorization$)[A-Za-z0-9-]{1,64}$',
    'the name of a header other than Authorization',
    { otherwise: 'none' }
  ),
  IDENTITY_COOKIE: matching(
    'A cookie that contains the token, such as __session of Clerk',
    '^[\\w.-]{1,64}$',
    'the name of a cookie',
    { otherwise: 'none' }
  )
}
