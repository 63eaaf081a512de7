/**
 * The OpenAPI security schemes that the suite's routes and guarded routes are marked with: give them to `@fastify/swagger` as
 * `openapi.components.securitySchemes`. It fails on a scheme that it does not know.
 */
export const securitySchemes = {
  proxyKey: { type: 'http', scheme: 'bearer', description: 'A proxy key, which DataBrain\'s servers present.' },
  proxyAuthKey: { type: 'apiKey', in: 'header', name: 'X-Proxy-Auth-Key', description: 'A proxy key, which the component of a page presents.' },
  userReference: {
    type: 'apiKey', in: 'header', name: 'X-User-Reference', description: 'A signed reference to the end user, made by the host\'s server; also taken from `?ref=`.'
  },
  pipelineKey: {
    type: 'http', scheme: 'bearer', description: 'The pipeline key of a source; also as the user name of Basic, from `?wk=`, or as `writeKey` of an unsigned body.'
  },
  signature: {
    type: 'apiKey', in: 'header', name: 'X-Datafly-Signature', description: '`sha256=` and the hex HMAC-SHA256 of the raw body under the source\'s server secret.'
  },
  captcha: { type: 'apiKey', in: 'header', name: 'X-Captcha-Token', description: 'A captcha token, which counts once.' },
  csrf: { type: 'apiKey', in: 'header', name: 'X-CSRF-Token', description: 'A CSRF token of the session, with its cookie.' },
  adminAccess: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token of an administrator, from `/v1/admin/auth/login`.' }
} as const
