// Reverse proxies that check the key of a page and send a guest token to one upstream.
import { Agent } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

import express from 'express'
import type { RequestHandler } from 'express'
import Fastify from 'fastify'
import type { FastifyPluginAsync } from 'fastify'

import { openDatabase } from '../../lib/database/open-database.js'
import tokenStore from '../../plugins/token-store/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import databrainProxy from '../../routes/databrain/proxy/index.js'
import { GUEST_TOKEN } from '../routes/names.js'
import { listen, listening } from '../serve.js'
import { loadPeer } from './packages.js'

const { DATABASE_URL = '', PROXY_KEY = '', SECRETS_KEY = '', UPSTREAM = '' } = process.env
const CONNECTIONS = 64

/** The guest token comes from the cache; each user's calls are counted in the audit trail. */
export async function gatehouse (): Promise<number> {
  const app = Fastify()
  const store = sqlStore(await openDatabase({ url: DATABASE_URL }), { secretsKeys: [SECRETS_KEY] })
  await app.register(tokenStore, { store })
  await app.register(databrainProxy, {
    prefix: '/proxy',
    proxyKeys: [PROXY_KEY],
    apiKey: 'the-key-of-the-analytics-API',
    apiUrl: UPSTREAM,
    dataAppName: 'sales',
    authorize: () => ({ clientId: 'customer-42' }),
    connections: CONNECTIONS,
    userConnections: CONNECTIONS,
    rateLimit: false,
    userRateLimit: false
  })
  return await listen(app)
}

interface HttpProxyOptions {
  upstream: string
  prefix: string
  preHandler: (request: { headers: IncomingHttpHeaders }) => Promise<void>
  replyOptions: { rewriteRequestHeaders: (request: unknown, headers: IncomingHttpHeaders) => IncomingHttpHeaders }
}

export async function fastifyHttpProxy (): Promise<number> {
  const { default: httpProxy } = await loadPeer<{ default: FastifyPluginAsync<HttpProxyOptions> }>('@fastify/http-proxy')
  const app = Fastify()
  await app.register(httpProxy, {
    upstream: UPSTREAM,
    prefix: '/proxy',
    preHandler: async ({ headers }) => {
      if (headers['x-proxy-auth-key'] !== PROXY_KEY) throw new Error('Invalid authentication key')
    },
    replyOptions: { rewriteRequestHeaders: (_request, headers) => ({ ...headers, 'x-plugin-token': GUEST_TOKEN }) }
  })
  return await listen(app)
}

export async function httpProxyMiddleware (): Promise<number> {
  const { createProxyMiddleware } = await loadPeer<{ createProxyMiddleware: (options: object) => RequestHandler }>(
    'http-proxy-middleware'
  )
  const app = express()
  app.use('/proxy', (request, response, next) => {
    if (request.headers['x-proxy-auth-key'] === PROXY_KEY) next()
    else response.status(401).end()
  }, createProxyMiddleware({
    target: UPSTREAM,
    headers: { 'x-plugin-token': GUEST_TOKEN },
    // Without an agent, each request opens a connection.
    agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  }))
  return await listening(app.listen(0, '127.0.0.1'))
}
