/**
 * The OpenAPI security schemes of the suite's routes and guarded routes. Pass them to `@fastify/swagger` as
 * `openapi.components.securitySchemes`; without them `@fastify/swagger` fails on an unknown scheme.
 *
 * @example
 * await app.register(swagger, { openapi: { components: { securitySchemes } } })
 */
export const securitySchemes = {
  proxyKey: { type: 'http', scheme: 'bearer', description: 'A proxy key, sent by DataBrain\'s servers.' },
  proxyAuthKey: {
    type: 'apiKey', in: 'header', name: 'X-Proxy-Auth-Key', description: 'A proxy key, sent by the component of a page.'
  },
  userReference: {
    type: 'apiKey',
    in: 'header',
    name: 'X-User-Reference',
    description: 'A signed reference to the end user, created by the host\'s server. Also read from `?ref=`.'
  },
  identityToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of an identity provider for the end user. Also read from the header or the cookie that the ' +
      'host has configured.'
  },
  pipelineKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'The pipeline key of a source. Also read from the user name of Basic authentication, from `?wk=` ' +
      'and from `writeKey` of an unsigned body.'
  },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Datafly-Signature',
    description: '`sha256=` and the hex HMAC-SHA256 of the raw body under the source\'s server secret.'
  },
  captcha: {
    type: 'apiKey', in: 'header', name: 'X-Captcha-Token', description: 'A captcha token; each token is accepted once.'
  },
  csrf: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'A CSRF token of the session, sent with its cookie.'
  },
  adminAccess: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access token of an administrator, from `/v1/admin/auth/login`, or, on routes with a permission, an ' +
      'API key `gh_…` from `/v1/admin/keys`.'
  }
} as const
