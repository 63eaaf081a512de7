import { createHash } from 'node:crypto'

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../../lib/errors.js'
import { namesTag } from '../../lib/http/entity-tag.js'
import { refuse } from '../../lib/refuse.js'
import { securitySchemes } from '../../schemas/security-schemes.js'
import { protectPages } from '../page-headers.js'
import type { Places } from '../guide.js'
import { completeDocument } from './complete.js'
import { localReferences, namesWithoutLinks } from './page-plugins.js'
import { shareRefusals } from './shared-responses.js'
import { themeOf } from './theme.js'

/** Generates an OpenAPI 3.1 document of all routes that are registered later. */
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
      // Relative, so that the document is correct under every host name of the server.
      servers: [{ url: '/' }],
      tags: [
        { name: 'embedding', description: 'Embed tokens for DataBrain, Bold BI and dxFeed.' },
        { name: 'captcha', description: 'Captcha challenges for visitors.' },
        { name: 'csrf', description: 'CSRF tokens for pages.' },
        { name: 'ingestion', description: 'Events with a pipeline key, signed or unsigned.' },
        { name: 'admin auth', description: 'Login, rotation of refresh tokens, sessions, password.' },
        { name: 'admin mfa', description: 'Second factors of administrators: authenticator apps, passkeys, recovery codes.' },
        {
          name: 'admin single sign-on',
          description: 'Identity providers, email domains and logins of administrators by OpenID Connect.'
        },
        { name: 'admin saml', description: 'Endpoints of SAML 2.0 for identity providers.' },
        { name: 'scim', description: 'SCIM 2.0: directories provision members and groups.' },
        { name: 'admin scim', description: 'The roles of provisioned groups.' },
        { name: 'admin account', description: 'Invitations, password resets and changes of email by mailed links.' },
        { name: 'admin users', description: 'Members of the organisation and invitations.' },
        { name: 'admin sources', description: 'Sources of events, their keys and secrets.' },
        { name: 'admin webhooks', description: 'Signed deliveries of other services to a source.' },
        { name: 'admin events', description: 'Stored events and the live stream of events.' },
        { name: 'admin refused events', description: 'Refused events that sources keep, and their replay.' },
        { name: 'admin embeds', description: 'Granted and refused embeds, and revocations.' },
        { name: 'admin keys', description: 'API keys of programs.' },
        { name: 'admin stats', description: 'Counts of events, embeds and logins.' },
        { name: 'admin audit logs', description: 'Actions of administrators.' },
        { name: 'health', description: 'Health checks for load balancers.' }
      ],
      components: { securitySchemes }
    },
    hideUntagged: true,
    transformObject (parts) {
      return 'openapiObject' in parts ? shareRefusals(completeDocument(parts.openapiObject as object)) : parts.swaggerObject
    }
  })
}

/**
 * Serves `/docs` for people and `/docs/json` for programs. The document is generated at its first request. YAML is not
 * offered, because it takes much longer to serialise.
 */
export async function serveDocs (app: FastifyInstance, places: Places): Promise<void> {
  await app.register(async (scope) => {
    await protectPages(scope)
    let written: { document: string, tag: string } | undefined

    function writeDocument () {
      const document = JSON.stringify(app.swagger())
      return { document, tag: `"${createHash('sha256').update(document).digest('base64url')}"` }
    }

    scope.addHook('onRequest', function sendDocument (request, reply, done) {
      const { url } = request.routeOptions
      if (url === '/docs/yaml') {
        refuse(reply, new NOT_FOUND())
      } else if (url !== '/docs/json') {
        done()
      } else {
        const { document, tag } = written ??= writeDocument()
        reply.header('ETag', tag).header('Cache-Control', 'no-cache')
        if (namesTag(request.headers['if-none-match'], tag)) reply.code(304).send()
        else reply.type('application/json; charset=utf-8').send(document)
      }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      theme: themeOf(places),
      uiConfig: {
        layout: 'BaseLayout',
        docExpansion: 'none',
        deepLinking: true,
        persistAuthorization: false,
        validatorUrl: null,
        syntaxHighlight: { theme: 'tomorrow-night' },
        plugins: [localReferences, namesWithoutLinks]
      },
      // The Swagger UI page uses inline styles; its scripts are separate files.
      transformStaticCSP: (policy) => policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    })
  })
}
