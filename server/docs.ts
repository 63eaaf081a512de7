import { createHash } from 'node:crypto'

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

import { NOT_FOUND } from '../lib/errors.js'
import { refuse } from '../lib/refuse.js'
import { securitySchemes } from '../schemas/security-schemes.js'
import { protectPages } from './page-headers.js'

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
        { name: 'captcha', description: 'Challenges for visitors.' },
        { name: 'csrf', description: 'Tokens for pages.' },
        { name: 'ingestion', description: 'Events by pipeline key, signed or not.' },
        { name: 'admin auth', description: 'Login, rotation of refresh tokens, sessions, password.' },
        { name: 'admin sources', description: 'Sources of events, their keys and secrets.' },
        { name: 'admin webhooks', description: 'What other services send to a source, signed by them.' },
        { name: 'admin events', description: 'What was stored, and what comes in.' },
        { name: 'admin embeds', description: 'What was embedded, and what may not be any more.' },
        { name: 'admin audit logs', description: 'Who did what, from where.' },
        { name: 'health', description: 'For load balancers.' }
      ],
      components: { securitySchemes }
    },
    hideUntagged: true
  })
}

/** `/docs` for people, `/docs/json` for programs. The document is written once, at the start; as YAML, which takes much longer, it is not offered. */
export async function serveDocs (app: FastifyInstance): Promise<void> {
  await app.register(async (scope) => {
    await protectPages(scope)
    let document = ''
    let tag = ''
    app.addHook('onReady', async function writeDocument () {
      document = JSON.stringify(app.swagger())
      tag = `"${createHash('sha256').update(document).digest('base64url')}"`
    })
    scope.addHook('onRequest', function sendDocument (request, reply, done) {
      const { url } = request.routeOptions
      if (url === '/docs/yaml') {
        refuse(reply, new NOT_FOUND())
      } else if (url !== '/docs/json') {
        done()
      } else {
        reply.header('ETag', tag).header('Cache-Control', 'no-cache')
        if (namesTag(request.headers['if-none-match'], tag)) reply.code(304).send()
        else reply.type('application/json; charset=utf-8').send(document)
      }
    })
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { deepLinking: true, persistAuthorization: false, validatorUrl: null },
      // The page that comes with the UI styles its own elements in line; its scripts are files of its own.
      transformStaticCSP: (policy) => policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    })
  })
}

/** Whether `If-None-Match` names the tag, as a strong or a weak one: a proxy that compresses weakens it. */
function namesTag (header: string | undefined, tag: string): boolean {
  return header !== undefined && header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag)
}
