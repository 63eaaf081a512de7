import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

import { protectPages } from './page-headers.js'

const SECURITY_SCHEMES = {
  proxyKey: { type: 'http', scheme: 'bearer', description: 'A proxy key, which DataBrain\'s servers present.' },
  userReference: {
    type: 'apiKey', in: 'header', name: 'X-User-Reference', description: 'A signed reference to the end user, made by the host\'s server; also taken from `?ref=`.'
  },
  pipelineKey: {
    type: 'http', scheme: 'bearer', description: 'The pipeline key of a source; also as the user name of Basic, from `?wk=`, or as `writeKey` of an unsigned body.'
  },
  signature: {
    type: 'apiKey', in: 'header', name: 'X-Datafly-Signature', description: '`sha256=` and the hex HMAC-SHA256 of the raw body under the source\'s server secret.'
  },
  adminAccess: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token of an administrator, from `/v1/admin/auth/login`.' }
} as const

/** Describes the routes that are registered after it, as OpenAPI 3.1. */
export async function describeRoutes (app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'fastify-gatehouse',
        version,
        description: 'Tokens for embedded analytics, a gateway for events, and the administration of both.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      // Relative: the same document holds under every name that the server has.
      servers: [{ url: '/' }],
      tags: [
        { name: 'embedding', description: 'Tokens for DataBrain, Bold BI and dxFeed.' },
        { name: 'ingestion', description: 'Events by pipeline key, signed or not.' },
        { name: 'admin auth', description: 'Login, rotation of refresh tokens, sessions, password.' },
        { name: 'admin sources', description: 'Sources of events, their keys and secrets.' },
        { name: 'admin webhooks', description: 'What other services send to a source, signed by them.' },
        { name: 'admin events', description: 'What was stored, and what comes in.' },
        { name: 'admin audit logs', description: 'Who did what, from where.' },
        { name: 'health', description: 'For load balancers.' }
      ],
      components: { securitySchemes: SECURITY_SCHEMES }
    },
    hideUntagged: true
  })
}

/** `/docs` for people, `/docs/json` for programs. */
export async function serveDocs (app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    await protectPages(scope, [])
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { deepLinking: true, persistAuthorization: false, validatorUrl: null },
      // The page that comes with the UI styles its own elements in line; its scripts are files of its own.
      transformStaticCSP: (policy) => policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    })
  })
}
